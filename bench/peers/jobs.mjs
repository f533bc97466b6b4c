// jobs.mjs graphile-worker|pg-boss URL COUNT CONCURRENCY
// Asks for COUNT jobs that do nothing, a hundred together, while they are worked off, in a database of its own. Prints jobs
// per second, from the first that is asked for until the last is stored as done.

import pg from 'pg';

const [name, server, total, concurrency] = process.argv.slice(2);
const count = Number(total);
const BATCH = 100;
const LANES = 4;

let done = 0;
let finished;
const all = new Promise((resolve) => {
    finished = resolve;
});
const one = (jobs = 1) => {
    done += jobs;
    if (done >= count) finished();
};

async function query(at, text) {
    const client = new pg.Client({ connectionString: at });
    await client.connect();
    const { rows } = await client.query(text);
    await client.end();
    return rows;
}

const database = `peer_${process.pid}`;
await query(server, `CREATE DATABASE ${database}`);
const url = Object.assign(new URL(server), { pathname: `/${database}` }).href;

/** Handlers have seen all of them; the database may not say so yet. */
async function stored(open) {
    while (Number((await query(url, `SELECT count(*) FROM ${open}`))[0].count) > 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
}

/** Four ask at once. */
async function ask(add) {
    const lane = async () => {
        for (let asked = 0; asked < count / LANES; asked += BATCH) await add(BATCH);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
}

const peers = {
    async 'graphile-worker'() {
        const { run, Logger } = await import('graphile-worker');
        const silent = new Logger(() => () => {});
        await run({
            connectionString: url,
            concurrency: Number(concurrency),
            maxPoolSize: 10,
            noHandleSignals: true,
            pollInterval: 1000,
            logger: silent,
            taskList: { nothing: () => one() },
        });
        const begun = process.hrtime.bigint();
        const pool = new pg.Pool({ connectionString: url, max: LANES });
        const text = `SELECT FROM graphile_worker.add_jobs(ARRAY(SELECT json_populate_record(
            NULL::graphile_worker.job_spec, one) FROM json_array_elements($1::json) AS one))`;
        const spec = { identifier: 'nothing', payload: { nothing: true } };
        await ask((jobs) => pool.query(text, [JSON.stringify(Array.from({ length: jobs }, () => spec))]));
        await all;
        await stored('graphile_worker._private_jobs');
        return begun;
    },
    async 'pg-boss'() {
        const { default: PgBoss } = await import('pg-boss');
        const boss = new PgBoss({ connectionString: url, max: 10, supervise: false, schedule: false });
        boss.on('error', (error) => {
            throw error;
        });
        await boss.start();
        await boss.createQueue('nothing');
        // Its own workers pause half a second after each batch, so batches are fetched and completed by hand.
        const batchSize = Math.ceil(Number(concurrency) / LANES);
        const begun = process.hrtime.bigint();
        const work = async () => {
            while (done < count) {
                const jobs = await boss.fetch('nothing', { batchSize });
                if (jobs.length > 0) {
                    await boss.complete('nothing', jobs.map((job) => job.id));
                    one(jobs.length);
                } else {
                    await new Promise((resolve) => setTimeout(resolve, 1));
                }
            }
        };
        for (let lane = 0; lane < LANES; lane += 1) work();
        await ask((jobs) => boss.insert(Array.from({ length: jobs }, () => ({ name: 'nothing', data: { nothing: true } }))));
        await all;
        await stored("pgboss.job WHERE name = 'nothing' AND state <> 'completed'");
        return begun;
    },
};

const begun = await peers[name]();
const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
console.log(count / seconds);
process.exit(0);
