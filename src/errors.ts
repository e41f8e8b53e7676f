// The one catalogue of errors: stable codes, the HTTP status each answers with, what it means and what to do.

export interface ErrorEntry {
  readonly status: number
  readonly title: string
  /** What the reader can do about it. */
  readonly remedy: string
}

const entry = (status: number, title: string, remedy: string): ErrorEntry => ({ status, title, remedy })

export const ERRORS = {
  // A record or a request that cannot be taken as it is.
  invalid: entry(422, 'The data does not fit its schema', 'Mend the field that `path` names and send it again.'),
  'too-large': entry(413, 'The body or the record is larger than the limit', 'Send less; the limit is in the message.'),
  superseded: entry(409, 'A newer revision is already decided', 'Send a higher revision.'),
  'revision-reused': entry(
    409,
    'The same revision was sent before with other content',
    'Raise the revision with every edit.',
  ),
  withdrawn: entry(
    409,
    'The listing was withdrawn at this or a later revision',
    'Send a higher revision to offer it again.',
  ),
  'marketplace-mismatch': entry(
    409,
    'The listing belongs to another marketplace',
    'Listing ids are unique in a deployment: use another id.',
  ),
  // A record that is not even a record; also the codes of dead letters.
  empty: entry(400, 'The record has no value', 'Send the event as the value; a tombstone is not an event here.'),
  'not-utf8': entry(400, 'The bytes are not UTF-8', 'Encode as UTF-8.'),
  'not-json': entry(400, 'The text is not JSON', 'Mend it at the place that the message names.'),
  'not-an-object': entry(422, 'The JSON value is not an object', 'Send one JSON object per event.'),
  'unknown-type': entry(
    422,
    'The event type is not one that this topic carries',
    'Use one of the types that the message names.',
  ),
  'no-identity': entry(
    422,
    'listingId or revision cannot be read',
    'Give a listingId of 1 to 256 characters and a revision of 1 or more.',
  ),
  'unknown-decision': entry(
    422,
    'The verdict is about a decision or a case that is not known here',
    'Copy listingId, revision, decisionId and caseId from a decision of this deployment, and send the verdict again.',
  ),
  'verdict-reused': entry(
    409,
    'The same verdictId was recorded before with other content',
    'Give every verdict an id of its own; name the earlier one in `supersedes` to replace it.',
  ),
  'internal-error': entry(
    500,
    'Our own code failed on it, twice',
    'Report it with the dead letter; replay it after the fix.',
  ),
  // HTTP.
  unauthorized: entry(
    401,
    'No valid key or session',
    'Send `Authorization: Bearer KEY`; `touchstone keys create` makes one.',
  ),
  forbidden: entry(403, 'The key may not do this', 'Use a key with the role that the message names.'),
  'not-found': entry(404, 'There is nothing here', 'Check the address or the id.'),
  'method-not-allowed': entry(
    405,
    'The route does not take this method',
    'Use one of the methods in the Allow header.',
  ),
  'unsupported-media-type': entry(
    415,
    'The content type is not one that the route takes',
    'Send one of the types that the message or the route in /docs names, without a content encoding.',
  ),
  'bad-cursor': entry(
    400,
    'The cursor is not one that this feed gave out',
    'Use the `next` of an earlier answer, or none to start at the oldest.',
  ),
  'cursor-expired': entry(
    410,
    'The feed no longer reaches back to the cursor',
    'Start without a cursor and reconcile by decisionId.',
  ),
  'slow-body': entry(408, 'The body came too slowly', 'Send it again over a faster line, or a smaller one.'),
  'rate-limited': entry(429, 'Too many requests', 'Wait as long as Retry-After says.'),
  'not-ready': entry(503, 'The service cannot do this now', 'Try again; /readyz says what is stale.'),
  internal: entry(500, 'Unexpected failure', 'Try again; report it with the request id if it stays.'),
  // Review.
  'already-decided': entry(
    409,
    'Somebody else has said so before',
    'Look at what stands; to replace a verdict name it in `supersedes`.',
  ),
  'case-changed': entry(
    409,
    'The case is not as it was when it was looked at',
    'Read the case again: its listing was edited, withdrawn or decided meanwhile.',
  ),
  'case-claimed': entry(409, 'Somebody else looks at the case', 'Take another one, or wait until the claim ends.'),
  'nothing-to-appeal': entry(
    409,
    'The listing is not held or blocked',
    'An appeal answers a hold or a block of the revision that stands.',
  ),
  'too-many-appeals': entry(409, 'The case has as many answers of its seller as it takes', 'Wait for the review.'),
  // Reference data and settings.
  'policy-invalid': entry(
    422,
    'The policy does not fit its schema, a rule does not compile, or one of its examples fails',
    'Mend what the message names; nothing was published.',
  ),
  'policy-conflict': entry(
    409,
    'Another policy version was published meanwhile',
    'Look at the active policy and publish again.',
  ),
  'nothing-to-roll-back': entry(
    409,
    'There is no earlier version to go back to',
    'Publish a policy, or promote a model, instead.',
  ),
  // Models.
  'model-invalid': entry(
    422,
    'The model is damaged, or does not fit this gate',
    'Train it again with this version of Touchstone; what decided before still decides.',
  ),
  'model-loses': entry(
    409,
    'The model did worse than the one that decides, or holds a marketplace whatever is listed there',
    'Leave it, or promote it by force (`--force`) where you know better than the figures.',
  ),
  'model-unmeasured': entry(
    409,
    'Too little was held out to say what the model does to honest sellers of a marketplace where it would decide',
    'Look at more listings of that marketplace and train again, or promote it by force (`--force`) where you know better.',
  ),
  'model-mismatch': entry(
    409,
    'The fusion and the text model that would decide together were not fitted to each other',
    'Promote or roll back both at once (`touchstone models promote text@… fusion@…`), as the message says, or insist by force (`--force`).',
  ),
  'model-conflict': entry(
    409,
    'Another model or policy decides than the one that the promotion was held against',
    'Compare the version anew with what decides now (`touchstone evaluate --model NAME@VERSION`), and promote it again.',
  ),
  'labels-missing': entry(
    409,
    'There are too few verdicts to learn from',
    'Give as many more verdicts as the message says, on listings of several sellers and over some time.',
  ),
  'training-running': entry(409, 'A training runs already', 'Wait for its end: GET /v1/models says how it stands.'),
  'brand-invalid': entry(422, 'A brand does not fit its schema', 'Mend the field that `path` names.'),
  'bank-taken': entry(
    409,
    'The bank is somebody else’s, or has pictures that its kind and owner must stay with',
    'Use another bankId; kind and owner of a bank can be changed while it has no pictures.',
  ),
  'picture-unreadable': entry(
    422,
    'The picture cannot be read',
    'Send a whole JPEG, PNG, WebP, AVIF or GIF within the limits of the settings TOUCHSTONE_IMAGE_…',
  ),
  'picture-blank': entry(
    422,
    'The picture is nearly blank, or too plain to be told from others',
    'Use a picture that shows the goods or the mark; a plain one would match thousands of listings.',
  ),
  'settings-invalid': entry(500, 'One or more settings are wrong', 'Mend every setting that the message names.'),
  'input-invalid': entry(400, 'The input file cannot be read', 'Check the path and the format.'),
  usage: entry(400, 'The command was called wrongly', 'See --help.'),
  'port-taken': entry(500, 'The address is already in use', 'Stop the other process or choose another port.'),
  'already-running': entry(
    500,
    'Another Touchstone runs on this data directory',
    'Stop it, or set TOUCHSTONE_DATA_DIR.',
  ),
  'database-unavailable': entry(503, 'The database cannot be reached', 'Check DATABASE_URL and the server.'),
  'database-newer': entry(
    500,
    'The database was written by another, newer version',
    'Start the version that wrote it, or a newer one.',
  ),
  'offset-out-of-range': entry(
    500,
    'The stored offset lies outside what the log still holds',
    'Records were removed before they were read: see `touchstone doctor`.',
  ),
  // Publishing to a log that is not the store.
  'outputs-shrunk': entry(
    500,
    'A topic has fewer partitions than the store has published to',
    'The topic was made anew: give it as many partitions as before, or start with a new TOUCHSTONE_TOPIC_PREFIX.',
  ),
  'store-behind-log': entry(
    500,
    'The topics hold decisions that the store does not know',
    'The store is older than the topics, as after restoring a backup: restore a newer one, or start with a new TOUCHSTONE_TOPIC_PREFIX. Nothing is published meanwhile.',
  ),
  'store-foreign': entry(
    500,
    'The topics hold decisions of another store',
    'Give each deployment its own TOUCHSTONE_TOPIC_PREFIX; after replacing the database, start with a new one. Nothing is published meanwhile.',
  ),
  'transactions-refused': entry(
    500,
    'The brokers do not take the transactions of the publisher',
    'Raise transaction.max.timeout.ms of the brokers to at least 10000.',
  ),
  // The log on Kafka.
  'log-unavailable': entry(
    503,
    'The brokers cannot be reached',
    'Check KAFKA_BROKERS and the brokers; what waits is taken up again when they answer.',
  ),
  'log-forbidden': entry(
    503,
    'The brokers refuse this process, or are not trusted',
    'Mend the certificate, the sign-in or the ACL that the message names.',
  ),
  'log-unreadable': entry(
    500,
    'The log holds bytes that cannot be read',
    'Find who wrote it; nothing is read past it until somebody decides to: `touchstone doctor` says the command (`touchstone offsets move`).',
  ),
  'topics-wrong': entry(
    500,
    'A topic is missing or is not as it must be',
    'Run `touchstone topics`, or mend what the message names.',
  ),
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERRORS

/** An expected failure with a code from the catalogue; anything else that is thrown is a bug or the world breaking. */
export class TouchstoneError extends Error {
  readonly code: ErrorCode
  /** JSON pointer to the field at fault, where there is one. */
  readonly path: string | undefined
  constructor(code: ErrorCode, message: string, options: { path?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'TouchstoneError'
    this.code = code
    this.path = options.path
  }
  get status(): number {
    return ERRORS[this.code].status
  }
}

/** What happened and what to do about it, for whoever must act on it. */
export function withRemedy(thrown: unknown): string {
  if (!(thrown instanceof TouchstoneError)) return messageOf(thrown)
  return `${thrown.code}: ${thrown.message}. ${ERRORS[thrown.code].remedy}`
}

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
