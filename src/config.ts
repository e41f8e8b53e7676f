// The only reader of the environment: every setting once, with its default, and one error that names all wrong ones.
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { z } from 'zod'
import { TouchstoneError } from './errors.ts'
import { IMAGE_SETTINGS } from './settings/images.ts'
import { isNetwork, listOf, port, positive, setting, whole, type Setting } from './settings/setting.ts'

const proxies = z
  .string()
  .refine(
    (list) => list.split(',').every((one) => isNetwork(one.trim())),
    'must be IP addresses or networks in CIDR notation, with commas between',
  )

const FLAG = { error: 'must be true or false' }
/** `host:port`; an IPv6 address stands in brackets, or its end could not be told from the port. */
const BROKER = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/

function isBroker(text: string): boolean {
  const [, host = '', digits = '0'] = BROKER.exec(text) ?? []
  const number = Number(digits)
  return number >= 1 && number <= 65_535 && (!host.startsWith('[') || isIP(host.slice(1, -1)) === 6)
}
const brokers = listOf(isBroker, 'host:port, an IPv6 address in brackets as in [::1]:9092')

/** Every setting; the table in the README equals this list, both ways (test/docs). */
export const SETTINGS = {
  DATABASE_URL: setting(
    z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    'unset',
    'PostgreSQL of the store, and of the log without KAFKA_BROKERS; unset: an embedded server in the data directory',
  ),
  KAFKA_BROKERS: setting(
    brokers.optional(),
    'unset',
    'Addresses `host:port` of some brokers, with commas between; unset: the log lives in PostgreSQL',
  ),
  KAFKA_TLS: setting(
    z
      .enum(['true', 'false'], FLAG)
      .transform((text) => text === 'true')
      .optional(),
    'unset',
    '`true`: TLS to the brokers; unset: TLS where KAFKA_TLS_CA_FILE or KAFKA_TLS_CERT_FILE is given, else plain text',
  ),
  KAFKA_TLS_CA_FILE: setting(
    z.string().min(1).optional(),
    'unset',
    "PEM file of the authorities that sign the brokers' certificates; unset: those that Node trusts",
  ),
  KAFKA_TLS_CERT_FILE: setting(
    z.string().min(1).optional(),
    'unset',
    'PEM file of the certificate that this client shows to the brokers',
  ),
  KAFKA_TLS_KEY_FILE: setting(z.string().min(1).optional(), 'unset', 'PEM file of the key of that certificate'),
  KAFKA_TLS_KEY_PASSPHRASE: setting(z.string().optional(), 'unset', 'What that key is encrypted with'),
  KAFKA_SASL_MECHANISM: setting(
    z
      .enum(['plain', 'scram-sha-256', 'scram-sha-512'], { error: 'must be plain, scram-sha-256 or scram-sha-512' })
      .optional(),
    'unset',
    '`plain`, `scram-sha-256` or `scram-sha-512`; unset: the brokers ask for no password',
  ),
  KAFKA_SASL_USERNAME: setting(z.string().min(1).optional(), 'unset', 'User name at the brokers'),
  KAFKA_SASL_PASSWORD: setting(z.string().min(1).optional(), 'unset', 'Password at the brokers'),
  KAFKA_REPLICATION: setting(
    positive(32).optional(),
    'unset',
    'Copies of a Kafka topic that is created; unset: 3, or as many as there are brokers where they are fewer',
  ),
  KAFKA_SESSION_TIMEOUT_MS: setting(
    // Below a second a pause of the collector would look like a death; the brokers have limits of their own (6 s to 30 min).
    whole(500, 1_800_000).default(6_000),
    '6000',
    'Milliseconds without a word after which the brokers take a worker for dead: its partitions stand still for about so long before others go on with them',
  ),
  TOUCHSTONE_DATA_DIR: setting(
    z.string().min(1).default('.touchstone'),
    '.touchstone',
    'Where the embedded server keeps its data, and every gate a snapshot of the banks and a note of the pictures that it is decoding; it should outlive a restart',
  ),
  HOST: setting(z.string().min(1).default('127.0.0.1'), '127.0.0.1', 'Address that HTTP and metrics listen on'),
  PORT: setting(port.default(8080), '8080', 'Port of the HTTP API and the page; 0: any free one'),
  METRICS_PORT: setting(
    port.default(9464),
    '9464',
    'Port of `GET /metrics`, of a worker also of `/healthz` and `/readyz`; 0: any free one',
  ),
  TOUCHSTONE_PUBLIC_URL: setting(
    z.url({ protocol: /^https?$/ }).optional(),
    'unset',
    'Address that people and links use; unset: the listening address',
  ),
  TOUCHSTONE_TRUST_PROXY: setting(
    proxies.optional(),
    'unset',
    'Addresses and networks (such as `10.0.0.0/8`), with commas between, of proxies whose X-Forwarded-For is believed; unset: none',
  ),
  TOUCHSTONE_TOPIC_PREFIX: setting(
    z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,100}$/, 'must be letters, digits, dots, hyphens or underscores')
      .default('touchstone'),
    'touchstone',
    'First part of every topic name',
  ),
  TOUCHSTONE_PARTITIONS: setting(
    positive(1024).default(12),
    '12',
    'Partitions of a topic that is created; an existing topic keeps its own',
  ),
  TOUCHSTONE_BATCH_RECORDS: setting(
    positive(10_000).default(500),
    '500',
    'Records that one batch and one store transaction hold at most',
  ),
  TOUCHSTONE_BATCH_BYTES: setting(positive(1 << 30).default(8 << 20), '8388608', 'Bytes that one batch holds at most'),
  TOUCHSTONE_CONCURRENCY: setting(positive(256).default(4), '4', 'Partitions that one process works on at once'),
  TOUCHSTONE_MAX_LISTING_BYTES: setting(
    positive(64 << 20).default(4 << 20),
    '4194304',
    'Bytes that one listing may have; beyond: refused as too large',
  ),
  TOUCHSTONE_MAX_BODY_BYTES: setting(
    positive(1 << 30).default(64 << 20),
    '67108864',
    'Bytes that one NDJSON request may have',
  ),
  TOUCHSTONE_MAX_BODY_LINES: setting(
    positive(1_000_000).default(50_000),
    '50000',
    'Lines that one NDJSON request may have',
  ),
  TOUCHSTONE_REQUESTS_PER_MINUTE: setting(
    positive(10_000_000).default(6_000),
    '6000',
    'Requests that one key or session may make in a minute',
  ),
  TOUCHSTONE_LISTING_BUDGET_MS: setting(
    positive(60_000).default(500),
    '500',
    'Milliseconds that reading a listing and what its signals compute at once may take together; as long may each signal wait (for the text model), and as long may the rules take; what did not run by then has failed',
  ),
  TOUCHSTONE_CURRENCIES: setting(
    z.string().min(1).optional(),
    'unset',
    'JSON file with US dollars per unit of each currency, instead of the table that ships',
  ),
  TOUCHSTONE_TEXT_THREADS: setting(
    positive(64).default(1),
    '1',
    'Threads that ask the text model; one does several thousand listings a second',
  ),
  ...IMAGE_SETTINGS,
  TOUCHSTONE_BANK_SELLERS_PER_HOUR: setting(
    positive(1_000_000).default(100),
    '100',
    'Different sellers of one marketplace whose listings one picture of a counterfeit bank may match in an hour; beyond, an alert is raised, and it is put into quarantine for that marketplace until somebody has looked',
  ),
  // A case that was confirmed by mistake brings the few pictures of one listing; who is attacked loses a hundred a day, and hears of each.
  TOUCHSTONE_BANK_QUARANTINES_PER_HOUR: setting(
    whole(0, 1_000_000).default(5),
    '5',
    'Pictures that go into quarantine by themselves for one marketplace in an hour; beyond, an alert alone is raised, and with 0 always',
  ),
  TOUCHSTONE_OUTBOX_HOURS: setting(
    positive(8_760).default(72),
    '72',
    'Hours that what was published is kept: so far back the feed reaches, and so far back is sent again what Kafka lost',
  ),
  LOG_LEVEL: setting(
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).optional(),
    'info',
    'Least severe log line that is written; in the demo `warn` unless set',
  ),
} as const satisfies Record<string, Setting>

/** Settings of versions to come. */
const NOT_YET = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'] as const

/** Settings that mean nothing, or something dangerous, beside the others. */
function* contradictions(given: (name: string) => boolean): Generator<string> {
  const alone = ['KAFKA_TLS_CA_FILE', 'KAFKA_TLS_CERT_FILE', ...SASL].filter(given)
  // Whoever sets a password for Kafka and no brokers would find the log in PostgreSQL.
  if (alone.length > 0 && !given('KAFKA_BROKERS')) yield `KAFKA_BROKERS: must be given with ${alone.join(', ')}`
  if (given('KAFKA_TLS_CERT_FILE') !== given('KAFKA_TLS_KEY_FILE'))
    yield 'KAFKA_TLS_CERT_FILE, KAFKA_TLS_KEY_FILE: must be given together'
  if (given('KAFKA_TLS_KEY_PASSPHRASE') && !given('KAFKA_TLS_KEY_FILE'))
    yield 'KAFKA_TLS_KEY_PASSPHRASE: means nothing without KAFKA_TLS_KEY_FILE'
  const missing = SASL.filter((name) => !given(name))
  if (missing.length > 0 && missing.length < SASL.length)
    yield `${missing.join(', ')}: must be given with ${SASL.filter(given).join(' and ')}`
}
const SASL = ['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'] as const

type Settings = { [K in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[K]['schema']> }
export type Config = Readonly<Omit<Settings, 'KAFKA_TLS'> & { KAFKA_TLS: boolean }>

/**
 * Reads all settings at once. An empty variable counts as unset. `required` names settings that this command cannot do
 * without, each with the reason.
 * @throws TouchstoneError `settings-invalid` that names every wrong setting and what is expected, never a value.
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  required: { readonly [K in keyof Settings]?: string } = {},
): Config {
  const wrong: string[] = []
  const values: Record<string, unknown> = {}
  // Going on without them would send listings, or people, elsewhere than the operator believes.
  for (const name of NOT_YET)
    if ((env[name] ?? '') !== '') wrong.push(`${name}: is not supported by this version; unset it`)
  for (const [name, { schema }] of Object.entries(SETTINGS)) {
    const raw = env[name]
    const result = schema.safeParse(raw === '' ? undefined : raw)
    if (result.success) values[name] = result.data
    else wrong.push(`${name}: ${result.error.issues.map((issue) => issue.message).join('; ')}`)
  }
  const given = (name: string) => (env[name] ?? '') !== ''
  wrong.push(...contradictions(given))
  for (const [name, why] of Object.entries(required)) if (!given(name)) wrong.push(`${name}: must be given: ${why}`)
  // Somebody who names certificates does not mean to send passwords in plain text.
  const certificates = given('KAFKA_TLS_CA_FILE') || given('KAFKA_TLS_CERT_FILE')
  if (values['KAFKA_TLS'] === false && certificates)
    wrong.push('KAFKA_TLS: is false although a KAFKA_TLS_ file is given: unset one of them')
  if (values['KAFKA_TLS'] === true && !given('KAFKA_BROKERS')) wrong.push('KAFKA_BROKERS: must be given with KAFKA_TLS')
  if (wrong.length > 0) throw new TouchstoneError('settings-invalid', wrong.join('\n'))
  values['KAFKA_TLS'] ??= certificates
  values['TOUCHSTONE_DATA_DIR'] = resolve(String(values['TOUCHSTONE_DATA_DIR']))
  return Object.freeze(values) as Config
}
