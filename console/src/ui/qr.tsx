import { useMemo } from 'react'
import { encode } from 'uqr'

/** A QR code, computed here: what it says leaves the browser for the camera only. Dark on light in both themes. */
export function QrCode({ of, label }: { of: string; label: string }) {
  const { size, data } = useMemo(() => encode(of, { ecc: 'M', border: 4 }), [of])
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('')
  return (
    <svg
      className="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
    >
      <rect width={size} height={size} />
      <path d={path} />
    </svg>
  )
}
