//! Calls of one zygote never share randomness, and neither do processes forked inside them.

use std::collections::HashSet;

use safeconduct_sandbox::Guard;

use crate::fixture::{answer, limits, report, sandbox, zygote};

/// Randomness of every kind, in the call and in a worker that it forks. The module uses the generators at load, so that
/// a state exists that calls could share.
const CODE: &str = "
import json, os, random, secrets, ssl, uuid
ssl.RAND_bytes(8), random.random(), secrets.token_hex(8), uuid.uuid4()

def client_random():
    context, out = ssl.create_default_context(), ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname='example.test')
    try: client.do_handshake()
    except ssl.SSLWantReadError: pass
    return out.read()[11:43].hex()

def draw(who):
    return [who + kind for kind in (
        'ssl' + ssl.RAND_bytes(16).hex(), 'random' + str(random.getrandbits(128)), 'secrets' + secrets.token_hex(16),
        'uuid' + str(uuid.uuid4()), 'tls' + client_random())]

def handler(input, context):
    receive, send = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(send, json.dumps(draw('')).encode())
        os._exit(0)
    os.close(send)
    os.waitpid(pid, 0)
    theirs = json.loads(os.read(receive, 65536))
    return theirs + draw('')
";

async fn draws(calls: usize, guards: &[Guard]) -> (usize, usize) {
    let sandbox = sandbox();
    let mut all = Vec::new();
    for _ in 0..calls {
        let report = report(&sandbox, zygote(CODE).without(guards), limits()).await.0;
        all.extend(
            answer(report.outcome).as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()),
        );
    }
    (all.len(), all.iter().collect::<HashSet<_>>().len())
}

#[tokio::test]
async fn a_hundred_calls_and_their_workers_draw_different_randomness() {
    let (control, distinct) = draws(5, &[Guard::HighPid]).await;
    assert!(distinct < control, "a zygote with a low pid was expected to share OpenSSL's state with workers");
    let (drawn, distinct) = draws(100, &[]).await;
    assert_eq!((drawn, distinct), (1000, 1000));
}
