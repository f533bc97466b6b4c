// Signs one body as each vendor's own library does, for the time on the command line: node sign.mjs SECONDS. Answers an array
// of {preset, secret, headers, body}.
import { sign } from '@octokit/webhooks-methods';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';

const seconds = Number(process.argv[2]);
const body = JSON.stringify({ id: 'evt_1', text: 'grüße, 世界' });

const github = { preset: 'github', secret: "It's a Secret to Everybody", body };
github.headers = { 'x-hub-signature-256': await sign(github.secret, body) };

const stripe = { preset: 'stripe', secret: 'whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH', body };
const header = { payload: body, secret: stripe.secret, timestamp: seconds };
stripe.headers = { 'stripe-signature': Stripe.webhooks.generateTestHeaderString(header) };

const standard = { preset: 'standard_webhooks', secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', body };
standard.headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': String(seconds),
    'webhook-signature': new Webhook(standard.secret).sign('msg_p5jXN8AQM9LWM0D4loKWxJek', new Date(seconds * 1000), body),
};

process.stdout.write(JSON.stringify([github, stripe, standard]));
