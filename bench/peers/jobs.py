"""jobs.py URL COUNT CONCURRENCY: what jobs.mjs does, with procrastinate. Prints jobs per second."""

import asyncio
import os
import sys
import time

import psycopg
from procrastinate import App, PsycopgConnector

server, total, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
database = f"peer_{os.getpid()}"
with psycopg.connect(server, autocommit=True) as connection:
    connection.execute(f"CREATE DATABASE {database}")
url = server.rsplit("/", 1)[0] + "/" + database
BATCH = 100
LANES = 4
app = App(connector=PsycopgConnector(conninfo=url, min_size=4, max_size=10))
done = 0
finished = asyncio.Event()


@app.task(name="nothing")
async def nothing(nothing: bool) -> None:
    global done
    done += 1
    if done >= total:
        finished.set()


async def lane() -> None:
    for _ in range(total // LANES // BATCH):
        await nothing.batch_defer_async(*({"nothing": True} for _ in range(BATCH)))


async def main() -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        worker = asyncio.create_task(app.run_worker_async(concurrency=concurrency, install_signal_handlers=False))
        begun = time.perf_counter()
        await asyncio.gather(*(lane() for _ in range(LANES)))
        await finished.wait()
        open_jobs = "SELECT count(*) AS count FROM procrastinate_jobs WHERE status <> 'succeeded'"
        while (await app.connector.execute_query_one_async(open_jobs))["count"]:
            await asyncio.sleep(0.005)
        print(total / (time.perf_counter() - begun))
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


asyncio.run(main())
