/** Line icons on a 16 px grid, drawn for this console. Always beside a word or under a label, never the only sign. */

const paths = {
  home: 'M2.5 7.5 8 3l5.5 4.5V13h-4V9.5h-3V13h-4z',
  agent: 'M3.5 6.5h9V12h-9zM8 6.5V4M6.2 9h.01M9.8 9h.01M8 2.8v.4M1.8 8.5v2M14.2 8.5v2',
  function:
    'M6 3.5c-1.6 0-1.5 1-1.5 2.3S4.3 8 3 8c1.3 0 1.5 1 1.5 2.2s-.1 2.3 1.5 2.3M10 3.5c1.6 0 1.5 1 1.5 2.3S11.7 8 13 8c-1.3 0-1.5 1-1.5 2.2s.1 2.3-1.5 2.3',
  run: 'M5 3.5v9l7-4.5z',
  package: 'M8 2l5.5 3v6L8 14l-5.5-3V5zM2.5 5 8 8l5.5-3M8 8v6',
  queue: 'M2.5 3h11v3h-11zM2.5 8h11v3h-11zM2.5 13.5h11',
  hook: 'M5 2.5v6a3.2 3.2 0 1 0 6.4 0V7M9.4 9l2-2.2 2 2.2M3.8 2.5h2.4',
  audit: 'M3.5 2.5h6l3 3v8h-9zM9.5 2.5v3h3M6 8.5l1.4 1.4L10 7.2',
  user: 'M8 7.7a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8M3.2 13.2c.4-2.3 2.2-3.7 4.8-3.7s4.4 1.4 4.8 3.7',
  system:
    'M8 10.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4M8 2v2M8 12v2M2 8h2M12 8h2M3.8 3.8l1.4 1.4M10.8 10.8l1.4 1.4M12.2 3.8l-1.4 1.4M5.2 10.8l-1.4 1.4',
  unknown: 'M6 6.2c0-1.2.9-2 2-2s2 .8 2 1.8c0 1.5-2 1.6-2 3M8 11.6v.1',
  key: 'M6 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M8.5 8H14M12 8v2M14 8v1.5',
  edit: 'M3 13l.6-2.8 7-7a1.4 1.4 0 0 1 2 0l.2.2a1.4 1.4 0 0 1 0 2l-7 7zM9.6 4.2l2.2 2.2',
  search: 'M7 11.2a4.2 4.2 0 1 0 0-8.4 4.2 4.2 0 0 0 0 8.4M10.2 10.2l3.3 3.3',
  copy: 'M6 6h7v7H6zM10 6V3H3v7h3',
  check: 'm3.5 8.5 3 3 6-7',
  cross: 'm4 4 8 8M12 4l-8 8',
  minus: 'M4 8h8',
  plus: 'M8 3.5v9M3.5 8h9',
  clock: 'M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11M8 5v3.2l2 1.3',
  alert: 'M8 3 14 13H2zM8 6.8v2.8M8 11.4v.1',
  info: 'M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11M8 7.5v3M8 5.3v.1',
  pause: 'M5.5 4v8M10.5 4v8',
  stop: 'M4 4h8v8H4z',
  arrow: 'M3 8h9.5M9 4.5 12.5 8 9 11.5',
  down: 'm4 6 4 4 4-4',
  right: 'm6 4 4 4-4 4',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  more: 'M3.9 8a.5.5 0 1 1-1 0 .5.5 0 0 1 1 0M8.5 8a.5.5 0 1 1-1 0 .5.5 0 0 1 1 0M13.1 8a.5.5 0 1 1-1 0 .5.5 0 0 1 1 0',
  sun: 'M8 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M8 2v1.2M8 12.8V14M2 8h1.2M12.8 8H14M3.8 3.8l.8.8M11.4 11.4l.8.8M12.2 3.8l-.8.8M4.6 11.4l-.8.8',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5',
  screen: 'M2.5 3.5h11V11h-11zM6 13.5h4M8 11v2.5',
  leave: 'M6.5 3H3.5v10h3M6.5 8h7M11 5.5 13.5 8 11 10.5',
  session: 'M2.5 4h11v8h-11zM2.5 6.5h11M4.3 5.2h.01',
  live: 'M8 8.01V8M5.5 10.5a3.5 3.5 0 0 1 0-5M10.5 5.5a3.5 3.5 0 0 1 0 5M3.6 12.4a6.2 6.2 0 0 1 0-8.8M12.4 3.6a6.2 6.2 0 0 1 0 8.8',
  seal: 'M8 2 3.5 3.8v3.7c0 3 1.8 5 4.5 6.5 2.7-1.5 4.5-3.5 4.5-6.5V3.8z',
  org: 'M3.5 13.5v-11h6v11M9.5 6.5h3v7M2 13.5h12M5.8 5.2h1.4M5.8 8h1.4M5.8 10.8h1.4',
  users:
    'M6 7.6a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4M1.8 13c.3-2.1 1.9-3.4 4.2-3.4s3.9 1.3 4.2 3.4M10.4 3.5a2 2 0 0 1 0 3.9M11.6 9.8c1.5.4 2.4 1.5 2.6 3.2',
  role: 'M8 2 3.5 3.8v3.7c0 3 1.8 5 4.5 6.5 2.7-1.5 4.5-3.5 4.5-6.5V3.8zM6 8l1.5 1.5L10.2 6.5',
  mail: 'M2.5 4h11v8.5h-11zM2.5 4.5 8 9l5.5-4.5',
  rule: 'M8 2.5v11M4 13.5h8M8 4.5 3.5 5.5M8 4.5l4.5 1M3.5 5.5 2 9.5h3zM12.5 5.5 11 9.5h3z',
  branch:
    'M4 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3M4 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3M12 9.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3M5.5 4c3 0 2.5 4 5 4M5.5 12c3 0 2.5-4 5-4',
  store:
    'M3 4.5c0-1.1 2.2-2 5-2s5 .9 5 2-2.2 2-5 2-5-.9-5-2M3 4.5v7c0 1.1 2.2 2 5 2s5-.9 5-2v-7M3 8c0 1.1 2.2 2 5 2s5-.9 5-2',
  file: 'M4 2.5h5l3 3v8H4zM9 2.5v3h3',
  plan: 'M3.5 2.5h9v11h-9zM5.5 6h1.5M9 6h1.5M6.2 5.2v1.6M5.5 10h1.5M9 10h1.5',
  terminal: 'm3 5 3 3-3 3M8 11h5',
} as const

export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  )
}

/** The mark of the product: a paper with a tick. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <rect width="16" height="16" rx="4" />
      <path d="M5 3.5h4.2L11 5.3v7.2H5z" />
      <path d="m6.4 8.9 1.2 1.2 2.1-2.4" />
    </svg>
  )
}
