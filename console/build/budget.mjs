// Fails when the script of the first load – the entry and what it imports statically – outgrows its budget.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const BUDGET = 150 * 1024
const dist = join(import.meta.dirname, '../dist')
const manifest = JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8'))

function reached(key, seen = new Set()) {
  if (seen.has(key)) return seen
  seen.add(key)
  for (const next of manifest[key].imports ?? []) reached(next, seen)
  return seen
}

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry)
const scripts = [...reached(entry)].map((key) => manifest[key].file).concat('theme.js')
const gzip = scripts.reduce((sum, file) => sum + statSync(join(dist, `${file}.gz`)).size, 0)

console.log(`first load: ${(gzip / 1024).toFixed(1)} KB of script, gzip (budget ${BUDGET / 1024} KB)`)
if (gzip > BUDGET) {
  console.error(`over budget; load what is not needed at once by import(): ${scripts.join(', ')}`)
  process.exit(1)
}
