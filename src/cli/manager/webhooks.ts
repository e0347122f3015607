/** `wm webhooks`: the last messages that were sent to webhooks, and those that wait. */
import { Command, Option } from 'commander';
import { DELIVERY_STATES, type WebhookDelivery } from '../../model/index.ts';
import { WebhookStore } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { printListing } from '../print/listing.ts';
import { type Format, outputOption } from '../print/output.ts';
import { formatAgeSince, shortId } from '../print/text.ts';
import { parseCount } from '../values.ts';

const COLUMNS = ['STATE', 'TYPE', 'WORKER', 'REASON', 'URL', 'TRIES', 'AGE', 'ERROR'];
const WIDE = ['MESSAGE', 'RESPONSE', 'LAST ATTEMPT', 'NEXT ATTEMPT'];
/** More than the store keeps. */
const ALL = 1_000_000;

interface Options {
  limit: number;
  state?: WebhookDelivery['state'];
  output: Format;
}

export function webhooksCommand(context: Context): Command {
  return new Command('webhooks')
    .summary('show the last deliveries to webhooks')
    .description(
      'Show the messages that were sent to webhooks, the newest first, and those that wait for another attempt.',
    )
    .option('-n, --limit <n>', 'maximum number of deliveries', parseCount, 50)
    .addOption(new Option('--state <state>', 'show only these').choices(DELIVERY_STATES))
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm webhooks --state failed')
    .action((options: Options) => webhooks(context, options));
}

async function webhooks({ session: open, out, now }: Context, options: Options): Promise<void> {
  const { redis, store } = await open();
  const all = await new WebhookStore(redis, store.keys).list(ALL);
  const shown = all
    .filter(({ state }) => options.state === undefined || state === options.state)
    .slice(0, options.limit);
  const rows = shown.map((delivery) => ({
    name: delivery.message_id,
    value: delivery,
    cells: [
      delivery.state,
      delivery.type,
      shortId(delivery.worker_id),
      delivery.reason,
      delivery.url,
      delivery.attempts,
      formatAgeSince(delivery.created_at, now()),
      delivery.error ?? '',
    ],
    wide: [
      delivery.message_id,
      delivery.response_status ?? '',
      delivery.last_attempt_at ?? '',
      delivery.next_attempt_at ?? '',
    ],
  }));
  await printListing(out, options.output, { columns: COLUMNS, wide: WIDE, rows });
}
