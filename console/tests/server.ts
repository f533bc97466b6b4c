/** The real server, as its own process on a port of its own with a throw-away data directory. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { vi } from 'vitest'

const run = promisify(execFile)

/** The server under test. */
export const binary = resolve(
  process.env.SAFECONDUCT_BIN ?? join(import.meta.dirname, '../../target/debug/safeconduct'),
)

/** Built with the tests: brings people in, as invitations would. */
const enrolment = join(dirname(binary), 'examples/enrol')

/** Without what would configure the server: it refuses keys that it does not know. */
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('SAFECONDUCT_')),
)

export interface Person {
  name: string
  id: string
  /** The value of the session's cookie. */
  cookie: string
}

export interface Server {
  url: string
  /** Those who were enrolled before the start, by their names. */
  people: Record<string, Person>
  /** A link that signs the owner in; the one before it no longer does. */
  link: () => Promise<string>
  /** An access token of the owner, for what a test needs done apart from the browser. */
  token: () => Promise<string>
  /** What a signed-in program would do; throws unless it succeeds. */
  api: <T = Record<string, unknown>>(method: string, path: string, body?: unknown) => Promise<T>
  /** Runs a command line as a person who is signed in would; answers what it prints. */
  shell: (command: string, files?: Record<string, string>) => Promise<string>
  /** The next letter to an address; waits for it. */
  letter: (address: string) => Promise<string>
  /** A command line that nobody is signed in to, as a process that runs along. */
  commandLine: (...words: string[]) => Promise<Running>
  stop: () => Promise<void>
}

export interface Running {
  /** What matches first in all that it says; waits for it. */
  says: (what: RegExp) => Promise<RegExpExecArray>
  /** Its exit code, with all that it said. */
  ended: Promise<{ code: number | null; said: string }>
}

export interface Wishes {
  /** Reached as `localhost`, not by its address: browsers keep passkeys for names. */
  named?: boolean
}

/**
 * `enrolled`: names, each with its roles, divided by commas; `@slug` behind them is an organization of their own. A name may
 * carry an address: `Ada<ada@example.com>`. `settings`: keys of the server's configuration.
 */
export async function startServer(
  enrolled: Record<string, string> = {},
  settings: Record<string, string> = {},
  { named = false }: Wishes = {},
): Promise<Server> {
  for (const program of [binary, enrolment]) {
    if (!existsSync(program))
      throw new Error(`${program} is missing; cargo test --workspace --locked --no-run builds it`)
  }
  const data = await mkdtemp(join(tmpdir(), 'safeconduct-console-'))
  const people = await enrol(data, enrolled)
  const port = named ? await freePort() : 0
  const flags = [
    'serve',
    '--data-dir',
    data,
    '--listen',
    `127.0.0.1:${port}`,
    '--set',
    'server.operations_listen=127.0.0.1:0',
    // One person does in a minute what many do in an hour.
    ...(named ? ['--set', `server.public_url=http://localhost:${port}`] : []),
    ...['reads', 'writes', 'tokens', 'sign_ins', 'heavy'].flatMap((name) => ['--set', `limits.${name}=0`]),
    ...Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
  ]
  const child = spawn(binary, flags, { stdio: ['ignore', 'pipe', 'pipe'], env: clean })
  const address = await listening(child)
  const url = named ? `http://localhost:${port}` : address
  let bearer: Promise<string> | undefined
  const home = join(data, 'home-of-a-person')
  const environment = { PATH: `${dirname(binary)}:${process.env.PATH}`, HOME: home }
  let signedIn: Promise<unknown> | undefined
  const signIn = async () => {
    await mkdir(home)
    await run(binary, ['login', '--link', await server.link()], { env: environment })
  }

  const letters = new Map<string, number>()

  const server: Server = {
    url,
    people,
    link: async () =>
      (await run(binary, ['admin', 'link', '--data-dir', data], { env: clean })).stdout.trim(),
    token: () => {
      bearer ??= redeem(url, server.link)
      return bearer
    },
    api: async (method, path, body) => {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${await server.token()}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
      return response.json()
    },
    shell: async (command, files = {}) => {
      signedIn ??= signIn()
      await signedIn
      for (const [name, text] of Object.entries(files)) await writeFile(join(home, name), text)
      return (await run('bash', ['-c', command], { cwd: home, env: environment })).stdout
    },
    letter: async (address) => {
      const read = () => lettersTo(address, join(data, 'mail'))
      const seen = letters.get(address) ?? 0
      const all = await vi.waitFor(
        async () => {
          const found = await read()
          if (found.length <= seen) throw new Error(`no letter to ${address} yet`)
          return found
        },
        { timeout: 30_000 },
      )
      letters.set(address, seen + 1)
      return all[seen] ?? ''
    },
    commandLine: async (...words) => {
      const folder = await mkdtemp(join(data, 'elsewhere-'))
      const child = spawn(binary, [...words, '--url', url], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env.PATH ?? '', HOME: folder },
      })
      return along(child)
    },
    stop: async () => {
      const ended = new Promise((done) => child.once('exit', done))
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await ended
      }
      await rm(data, { recursive: true, force: true })
    },
  }
  return server
}

async function enrol(data: string, enrolled: Record<string, string>): Promise<Record<string, Person>> {
  const words = Object.entries(enrolled).map(([name, roles]) => `${name}=${roles}`)
  if (words.length === 0) return {}
  const { stdout } = await run(enrolment, [data, ...words], { env: clean })
  const people = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Person)
  return Object.fromEntries(people.map((person) => [person.name, person]))
}

/** A port that nobody listens on; the server takes it a moment later. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done))
  const { port } = probe.address() as AddressInfo
  await new Promise((done) => probe.close(done))
  return port
}

/** Without a mail server, letters are files; their names are in the order of their writing. */
async function lettersTo(address: string, folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  const texts = await Promise.all(names.sort().map((name) => readFile(join(folder, name), 'utf8')))
  return texts.filter((text) => text.startsWith(`To: ${address}\n`))
}

function along(child: ChildProcess): Running {
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (bytes: Buffer) => {
      said += bytes.toString()
    })
  return {
    says: (what) =>
      vi.waitFor(
        () => {
          const found = what.exec(said)
          if (!found) throw new Error(`it has not said ${what}, but: ${said}`)
          return found
        },
        { timeout: 30_000 },
      ),
    ended: new Promise((done) => child.once('close', (code) => done({ code, said }))),
  }
}

/** The address that the server says it listens on; fails with its own words if it ends before. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    const said: string[] = []
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line)
        const url = /listens on (http:\S+)/.exec(line)?.[1]
        if (url) found(url)
      })
    }
    child.once('exit', (code) => failed(new Error(`the server ended with ${code}: ${said.join('\n')}`)))
  })
}

async function redeem(url: string, link: () => Promise<string>): Promise<string> {
  const token = (await link()).split('#')[1]
  const response = await fetch(`${url}/api/v1/auth/link/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  })
  const { access_token } = (await response.json()) as { access_token?: string }
  if (!access_token) throw new Error(`the link was not redeemed: ${response.status}`)
  return access_token
}
