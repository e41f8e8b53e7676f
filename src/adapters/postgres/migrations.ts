// The store's tables, as ordered steps that are never changed once released.
import { LATER_MIGRATIONS } from './later-migrations.ts'
import type { Migration } from './migrate.ts'

// Ids and topics are compared by bytes (collate "C"): faster, and one order everywhere that locks are taken in.
// Documents are `json`, not `jsonb`: what strangers write (escaped U+0000, half surrogate pairs in evidence) must never
// be able to make a commit fail. There are no foreign keys: one transaction writes all rows of a listing under its row
// lock, and a check per row would buy nothing for its cost. Rows that change in place leave room on their page for the
// next version (fillfactor), so that no index needs to know.
const gate = `
create table input_offset (
  grp text collate "C", topic text collate "C", part int, next bigint not null,
  primary key (grp, topic, part)
) with (fillfactor = 10);

create table listing (
  listing_id text collate "C" primary key,
  marketplace text,
  seller_id text,
  revision int not null default 0,
  sequence int not null default 0,
  outcome text check (outcome in ('allow', 'hold', 'block')),
  withdrawn_revision int not null default 0,
  case_id text,
  hold_until timestamptz
) with (fillfactor = 80);
create index listing_due on listing (hold_until) where hold_until is not null;

create table revision (
  listing_id text collate "C", revision int, content_hash text not null, submitted_at timestamptz not null,
  listing json not null,
  primary key (listing_id, revision)
);

create table decision (
  listing_id text collate "C", revision int not null, sequence int, decision_id uuid not null, stage text not null,
  outcome text not null, risk float8 not null, decided_at timestamptz not null, body json not null,
  primary key (listing_id, sequence)
);
create unique index decision_screening on decision (listing_id, revision) where stage = 'screening';

create table refusal (
  topic text collate "C", part int, pos bigint, listing_id text collate "C" not null, revision int not null,
  code text not null, at timestamptz not null, body json not null,
  primary key (topic, part, pos)
);
create index refusal_listing on refusal (listing_id, at);

create table review_case (
  case_id text collate "C" primary key, listing_id text collate "C" not null, revision int not null,
  state text not null check (state in ('open', 'withdrawn', 'released')),
  risk float8 not null, brand_ids text[] not null, due_at timestamptz, opened_at timestamptz not null, closed_at timestamptz
);
create unique index review_case_open on review_case (listing_id) where state = 'open';
create index review_case_due on review_case (due_at) where state = 'open';
`

// The head is the last position given, the tail the last one published, the floor the last one removed: three rows for
// three writers. Values stay on their page up to 8 kB: they live for hours, and squeezing them costs more than space.
const outbox = `
create table outbox (
  topic text collate "C", part int, pos bigint, key bytea, value bytea, headers bytea not null,
  marketplace text, at timestamptz not null,
  primary key (topic, part, pos)
) with (toast_tuple_target = 8160);
create table outbox_head (
  topic text collate "C", part int, pos bigint not null default 0, at timestamptz not null default '-infinity',
  primary key (topic, part)
) with (fillfactor = 10);
create table outbox_tail (
  topic text collate "C", part int, pos bigint not null default 0, primary key (topic, part)
) with (fillfactor = 10);
create table outbox_floor (
  topic text collate "C", part int, pos bigint not null default 0, primary key (topic, part)
) with (fillfactor = 10);
create table outbox_lease (
  name text primary key, owner text not null, epoch bigint not null, until timestamptz not null
) with (fillfactor = 10);
`

// An activation names the one that was active before it, so that rolling back twice goes back two versions.
const reference = `
create table reference_head (one boolean primary key default true check (one), change bigint not null);
insert into reference_head (change) values (0);
create table brand (
  brand_id text collate "C" primary key, version int not null, body jsonb not null, change bigint not null,
  changed_at timestamptz not null default now(), changed_by text not null
);
create table policy (
  version int primary key, policy_id text not null, body jsonb not null, change bigint not null,
  published_at timestamptz not null default now(), published_by text not null
);
create table policy_activation (
  activation bigint generated always as identity primary key, version int not null references policy,
  kind text not null check (kind in ('publish', 'rollback')), previous bigint references policy_activation,
  change bigint not null, at timestamptz not null default now(), by text not null
);
`

const access = `
create table api_key (
  key_id text collate "C" primary key, hash bytea not null unique, role text not null, brand_ids text[] not null,
  marketplace text, created_at timestamptz not null default now(), revoked_at timestamptz
);
create table session (
  hash bytea primary key, subject text not null, role text not null, brand_ids text[] not null, marketplace text,
  one_time boolean not null, expires_at timestamptz not null
);
create index session_expires on session (expires_at);
`

// Every record that is published names the store it comes from, so that a topic of another deployment is never taken for ours.
const identity = `
create table store_identity (one boolean primary key default true check (one), id uuid not null default gen_random_uuid());
insert into store_identity default values;
`

// What the verdict is about may be asked for by listing; its id counts in the whole deployment.
const verdicts = `
alter table review_case drop constraint review_case_state_check;
alter table review_case add constraint review_case_state_check check (state in ('open', 'withdrawn', 'released', 'resolved'));
create table verdict (
  verdict_id text collate "C" primary key, listing_id text collate "C" not null, revision int not null,
  recorded_at timestamptz not null default now(), body json not null
);
create index verdict_listing on verdict (listing_id, revision);
`

// The group was called touchstone-gate whatever the prefix of the topics, and is named after the prefix by now: where it was
// goes along, or every listing would be read a second time. The old rows stay: a process of the version before may still
// be about, and without its row it would begin at the oldest record.
const groups = `
insert into input_offset (grp, topic, part, next)
  select regexp_replace(topic, '\\.listings\\.v1$', '') || '-gate', topic, part, next from input_offset
  where grp = 'touchstone-gate' and topic ~ '\\.listings\\.v1$'
  on conflict do nothing;
`

// What was judged is kept by its hash, re-encoded; a case says which pictures it had, a bank which it holds. A picture that
// leaves a bank stays as a row with a change number, so that whoever follows the changes learns of it; `bank_floor` is the
// highest change of those that were cleaned away by now. A picture's `at` is when somebody last needed it.
const pictures = `
create table picture (
  sha256 text collate "C" primary key, hash text collate "C" not null, quality int not null, blank boolean not null,
  forms text[] not null default '{}', width int not null, height int not null, body bytea not null,
  at timestamptz not null default now()
);
alter table picture alter column body set storage external;
create table case_picture (
  case_id text collate "C", revision int, ordinal int, sha256 text collate "C" not null,
  primary key (case_id, revision, ordinal)
);
create index case_picture_sha256 on case_picture (sha256);
create table bank (
  bank_id text collate "C" primary key, version int not null, body jsonb not null, change bigint not null,
  changed_at timestamptz not null default now(), changed_by text not null
);
create table bank_image (
  image_id uuid primary key, bank_id text collate "C" not null, sha256 text collate "C" not null,
  hash text collate "C" not null, quality int not null, forms text[] not null default '{}',
  state text not null check (state in ('active', 'quarantined', 'removed')),
  source json not null, verdict_id text collate "C", added_at timestamptz not null default now(), added_by text not null,
  change bigint not null, changed_at timestamptz not null default now(), changed_by text
);
create unique index bank_image_once on bank_image (bank_id, sha256, coalesce(verdict_id, '')) where state <> 'removed';
create index bank_image_change on bank_image (change);
create index bank_image_bank on bank_image (bank_id, image_id) where state <> 'removed';
create index bank_image_removed on bank_image (changed_at) where state = 'removed';
create index bank_image_verdict on bank_image (verdict_id) where verdict_id is not null;
create index bank_image_sha256 on bank_image (sha256);
alter table reference_head add column bank_floor bigint not null default 0;
`

// A listing that was decided while a signal could not look is tried again; at most one such row a listing.
const rescreening = `
create table rescreen (
  listing_id text collate "C" primary key, revision int not null, attempts int not null default 0, due_at timestamptz not null
);
create index rescreen_due on rescreen (due_at);
`

// An activation without a version says that what ships decides again.
const models = `
create table model (
  name text collate "C", version text collate "C", sha256 text not null, card json not null, body bytea not null,
  made_at timestamptz not null default now(), made_by text not null,
  primary key (name, version)
);
create table model_activation (
  activation bigint generated always as identity primary key, name text collate "C" not null, version text collate "C",
  kind text not null check (kind in ('promote', 'rollback')), previous bigint references model_activation,
  change bigint not null, at timestamptz not null default now(), by text not null,
  foreign key (name, version) references model
);
create index model_activation_name on model_activation (name, activation);
`

// Who looks at a case, why it is open, and what its seller answered.
const review = `
alter table review_case add column opened_by text not null default 'hold'
  check (opened_by in ('hold', 'block', 'audit', 'appeal', 'review'));
alter table review_case add column marketplace text;
alter table review_case add column claimed_by text;
alter table review_case add column claimed_until timestamptz;
create index review_case_risk on review_case (risk desc) where state = 'open';
create index review_case_opened on review_case (opened_at, case_id);
create index review_case_listing on review_case (listing_id, revision);
-- Under the lock, so that what was said before a case was opened again is known from what was said after it.
alter table verdict alter column recorded_at set default clock_timestamp();
create table appeal (
  appeal_id uuid primary key, case_id text collate "C" not null, listing_id text collate "C" not null,
  revision int not null, text text not null, at timestamptz not null default now(), by text not null
);
create index appeal_case on appeal (case_id, at);
`

// Every verdict that moves pictures raises the number of all reference data: whether a brand is new must cost next to nothing.
const brandChanges = `
create index brand_change on brand (change);
`

// What is tried again may be decided milder only where the pictures that were seen are the same bytes again.
const seenBefore = `
alter table rescreen add column seen jsonb not null default '[]';
`

// A case may go over to revisions that name other brands: whose rights holder sees a picture is said by its own revision.
const brandsOfPictures = `
alter table case_picture add column brand_ids text[] not null default '{}';
update case_picture p set brand_ids = c.brand_ids from review_case c
  where c.case_id = p.case_id and c.revision = p.revision;
`

// Which listings are drawn for an audit must not follow from what everyone can read: ids of decisions, the name of the store.
const auditSecret = `
create table audit_secret (one boolean primary key default true check (one), secret uuid not null default gen_random_uuid());
insert into audit_secret default values;
`

// Which listings a picture of a bank holds or blocks, so that they are found when it leaves the bank without looking through
// all decisions; and the pictures that left and whose listings are not all queued yet. Ids are read out of what was decided
// before as text: JSON that strangers had a part in cannot always be taken apart (escaped U+0000), and in none of it does an
// unescaped quote stand inside of a string. A listing is tried again when the banks have reached its `after_change`.
const departures = `
create table bank_match (
  image_id uuid, listing_id text collate "C", revision int not null, primary key (image_id, listing_id)
) with (fillfactor = 90);
create table bank_departure (image_id uuid primary key, change bigint not null);
alter table rescreen add column after_change bigint not null default 0;
alter table case_picture add column whole boolean not null default false;
insert into bank_match (image_id, listing_id, revision)
  select distinct m.id[1]::uuid, l.listing_id, l.revision
  from listing l join decision d on d.listing_id = l.listing_id and d.sequence = l.sequence
  cross join lateral regexp_matches(d.body::text,
    '"imageId":"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"', 'g') m (id)
  where l.outcome in ('hold', 'block') and d.stage <> 'review';
insert into bank_departure (image_id, change)
  select i.image_id, i.change from bank_image i
  where i.state = 'removed' and exists (select from bank_match m where m.image_id = i.image_id);
`

// A picture of a case that is an official one mirrored or turned is known by these; one that was kept before has none, and
// is compared as it is.
const variantsOfPictures = `
alter table picture add column variants text[] not null default '{}';
`

export const STORE_MIGRATIONS: readonly Migration[] = [
  { name: 'listings, decisions, cases and refusals', sql: gate },
  { name: 'the outbox', sql: outbox },
  { name: 'brands and policies', sql: reference },
  { name: 'keys and sessions', sql: access },
  { name: 'the name of the store', sql: identity },
  { name: 'verdicts', sql: verdicts },
  { name: 'groups named after the topics', sql: groups },
  { name: 'pictures and banks', sql: pictures },
  { name: 'listings to be tried again', sql: rescreening },
  { name: 'models', sql: models },
  { name: 'who looks at a case', sql: review },
  { name: 'the highest change of the brands', sql: brandChanges },
  { name: 'pictures that were seen before a listing is tried again', sql: seenBefore },
  { name: 'whose brands a picture is about', sql: brandsOfPictures },
  { name: 'the secret of the audit sample', sql: auditSecret },
  { name: 'what kept pictures are when they are turned and mirrored', sql: variantsOfPictures },
  { name: 'listings that a picture of a bank stopped', sql: departures },
  ...LATER_MIGRATIONS,
]
