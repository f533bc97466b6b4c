/** A name server that knows the TXT records it was told, as far as proving a domain needs one (RFC 1035). */

import { createSocket } from 'node:dgram'
import { once } from 'node:events'

export interface Dns {
  address: string
  says: (name: string, text: string) => void
  stop: () => void
}

export async function startDns(): Promise<Dns> {
  const records = new Map<string, string[]>()
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => {
    const answer = answerTo(query, records)
    socket.send(answer, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    address: `127.0.0.1:${socket.address().port}`,
    says: (name, text) => records.set(name.toLowerCase(), [...(records.get(name.toLowerCase()) ?? []), text]),
    stop: () => socket.close(),
  }
}

const HEADER = 12
const TXT = 16

function answerTo(query: Buffer, records: Map<string, string[]>): Buffer {
  const [name, end] = nameAt(query, HEADER)
  const texts = query.readUInt16BE(end) === TXT ? (records.get(name) ?? []) : []
  const header = Buffer.alloc(HEADER)
  query.copy(header, 0, 0, 2)
  // An answer, recursion available; without a record: no such name.
  header.writeUInt16BE(texts.length > 0 ? 0x8180 : 0x8183, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(texts.length, 6)
  const question = query.subarray(HEADER, end + 4)
  return Buffer.concat([header, question, ...texts.map(record)])
}

/** The name of the question by a pointer, class IN, a minute to live. */
function record(text: string): Buffer {
  const data = Buffer.from(text)
  const fixed = Buffer.from([0xc0, HEADER, 0, TXT, 0, 1, 0, 0, 0, 60, 0, data.length + 1, data.length])
  return Buffer.concat([fixed, data])
}

function nameAt(message: Buffer, from: number): [string, number] {
  const labels: string[] = []
  let at = from
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return [labels.join('.').toLowerCase(), at + 1]
}
