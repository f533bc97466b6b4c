// A certified OpenID provider for the tests. It signs anybody in on its login page, and is told by lines of JSON on its
// standard input, each answered by a line: {"redirect": uri}, {"account": name, "claims": {…}}, {"rotate": true}.
// It ends when its standard input does.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { Provider } from 'oidc-provider';

// Standard output is for answers.
console.info = console.log = console.warn = console.error;

const accounts = new Map();
let redirects = [];
let keys = newKeys();
let answer = (_, response) => response.end();

const server = createServer((request, response) => answer(request, response));
server.listen(0, '127.0.0.1', () => {
    build();
    say({ issuer: issuer() });
});

for await (const line of createInterface({ input: process.stdin })) {
    const told = JSON.parse(line);
    if (told.redirect) redirects = [told.redirect];
    if (told.account) accounts.set(told.account, told.claims);
    if (told.rotate) keys = newKeys();
    build();
    say({ done: true });
}
process.exit(0);

function say(what) {
    process.stdout.write(`${JSON.stringify(what)}\n`);
}

function issuer() {
    return `http://127.0.0.1:${server.address().port}`;
}

function newKeys() {
    const pairs = [
        ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
        ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ];
    return pairs.map(([alg, { privateKey }]) => ({
        ...privateKey.export({ format: 'jwk' }),
        alg,
        kid: randomUUID(),
        use: 'sig',
    }));
}

function build() {
    const client = (client_id, further) => ({
        client_id,
        redirect_uris: redirects.length > 0 ? redirects : ['http://127.0.0.1/none'],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        ...further,
    });
    const provider = new Provider(issuer(), {
        clients: [
            client('app', { client_secret: 'app secret/with+odd:signs' }),
            client('posting', {
                client_secret: 'posted-secret',
                token_endpoint_auth_method: 'client_secret_post',
                id_token_signed_response_alg: 'ES256',
            }),
            client('public', { token_endpoint_auth_method: 'none' }),
        ],
        jwks: { keys },
        cookies: { keys: ['for the tests'] },
        claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'], profile: ['name'] },
        features: { devInteractions: { enabled: true } },
        findAccount: (_, id) => ({
            accountId: id,
            claims: () => ({ sub: id, ...accounts.get(id) }),
        }),
    });
    answer = provider.callback();
}
