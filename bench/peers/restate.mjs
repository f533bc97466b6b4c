// restate.mjs COUNT
// Asks a Restate server of its own, with its own store, for COUNT durable invocations of a handler that does nothing, a hundred
// requests at a time; prints invocations per second, from the first that is asked for until the last has been handled.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http2';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'node:http';

// The SDK wants Node 22; this is what it misses of it.
Promise.withResolvers ??= () => {
    const one = {};
    one.promise = new Promise((resolve, reject) => Object.assign(one, { resolve, reject }));
    return one;
};
// A line for each invocation would be most of its work.
process.env.RESTATE_LOGGING = 'ERROR';
const restate = await import('@restatedev/restate-sdk');

const [total] = process.argv.slice(2);
const count = Number(total);
const ASKING = 100;

let done = 0;
let finished;
const all = new Promise((resolve) => {
    finished = resolve;
});
const nothing = restate.service({
    name: 'nothing',
    handlers: {
        run: async () => {
            done += 1;
            if (done >= count) finished();
            return null;
        },
    },
});
const endpoint = createServer(restate.createEndpointHandler({ services: [nothing] }));
endpoint.listen(0, '127.0.0.1');
await once(endpoint, 'listening');

const base = mkdtempSync(join(tmpdir(), 'restate-'));
const port = 20_000 + (process.pid % 10_000) * 4;
const binary = join(
    createRequire(import.meta.url).resolve('@restatedev/restate-server-linux-x64/package.json'),
    '../bin/restate-server',
);
const server = spawn(binary, ['--base-dir', base], {
    stdio: 'ignore',
    env: {
        PATH: process.env.PATH,
        RESTATE_BIND_ADDRESS: `127.0.0.1:${port}`,
        RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${port}`,
        RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${port + 1}`,
        RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${port + 2}`,
        RESTATE_DISABLE_TELEMETRY: 'true',
    },
});
const end = (code) => {
    server.kill('SIGKILL');
    rmSync(base, { recursive: true, force: true });
    process.exit(code);
};

const agent = new Agent({ keepAlive: true, maxSockets: ASKING });
function post(at, path, body) {
    return new Promise((resolve, reject) => {
        const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
        const asked = request({ agent, host: '127.0.0.1', port: at, path, method: 'POST', headers }, (answer) => {
            answer.resume();
            answer.on('end', () => resolve(answer.statusCode));
        });
        asked.on('error', reject);
        asked.end(body);
    });
}

const deployment = JSON.stringify({ uri: `http://127.0.0.1:${endpoint.address().port}` });
const deadline = Date.now() + 60_000;
for (;;) {
    const registered = await post(port + 2, '/deployments', deployment).catch(() => 0);
    if (registered === 201 || registered === 200) break;
    if (Date.now() > deadline) {
        console.error(`Restate does not take the handler: ${registered}`);
        end(1);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
}

const begun = process.hrtime.bigint();
let asked = 0;
const lane = async () => {
    while (asked < count) {
        asked += 1;
        const status = await post(port + 1, '/nothing/run/send', 'null');
        if (status !== 202) throw new Error(`${status}`);
    }
};
await Promise.all(Array.from({ length: ASKING }, lane));
await all;
console.log(count / (Number(process.hrtime.bigint() - begun) / 1e9));
end(0);
