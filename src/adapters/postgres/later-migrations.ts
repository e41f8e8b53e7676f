// The store's tables, later steps: never changed once released either.
import type { Migration } from './migrate.ts'

// Who put a picture into quarantine says who may let it out; of those that lie there already it is not known, so analysts
// do. What was added over HTTP to a rights holder's bank may be its own word alone, and counts as that until somebody
// vouches for it. Written as text: a file's name may hold what cannot be taken apart (escaped U+0000). Whoever follows the
// banks hears of it.
const words = `
alter table bank_image add column quarantined_by text check (quarantined_by in ('brand', 'deployment'));
update bank_image set quarantined_by = 'deployment' where state = 'quarantined';
with marked as (
  update bank_image i
  set source = regexp_replace(i.source::text, '^\\s*\\{', '{"by":"brand",')::json,
      change = h.change + 1
  from reference_head h, bank b
  where b.bank_id = i.bank_id and b.body ->> 'brandId' is not null and i.state <> 'removed'
    and i.source::text ~ '"kind"\\s*:\\s*"api"'
  returning i.change)
update reference_head set change = change + 1 where exists (select from marked);
`

// Quarantine for some marketplaces, null: for all, as what lies there already. An alert stays until somebody has answered it.
const alerts = `
alter table bank_image add column quarantined_for text[], add column quarantined_at timestamptz,
  add column quarantined_name text, add column released_at timestamptz;
update bank_image set quarantined_at = changed_at, quarantined_name = changed_by where state = 'quarantined';
create table bank_alert (
  image_id uuid not null, marketplace text collate "C",
  result text not null check (result in ('quarantined', 'quarantined-for-all', 'bound', 'new-sellers')),
  sellers int not null, new_sellers int not null, seconds int not null,
  first_at timestamptz not null default now(), last_at timestamptz not null default now(), quarantined_at timestamptz
);
create unique index bank_alert_once on bank_alert (image_id, coalesce(' ' || marketplace, ''));
create index bank_alert_quarantined on bank_alert (quarantined_at) where quarantined_at is not null;
`

// Of a case whose pictures were cleaned away: that there were some, and whose brands they were about.
const goneFromCases = `
create table case_picture_gone (
  case_id text collate "C", revision int, ordinal int, brand_ids text[] not null, primary key (case_id, revision, ordinal)
);
`

// The other frames of animations that are kept; each joins a bank as an entry of its own.
const frames = `
alter table picture add column frames json not null default '[]';
alter table bank_image add column frame int not null default 0;
drop index bank_image_once;
create unique index bank_image_once on bank_image (bank_id, sha256, coalesce(verdict_id, ''), frame) where state <> 'removed';
`

// What listings show, by hash: of a confirmed case, what honest sellers show as well does not join by itself.
const shown = `
create table shown_picture (
  listing_id text collate "C", hash text collate "C", revision int not null, keys int[] not null,
  at timestamptz not null default now(), primary key (listing_id, hash)
);
create index shown_picture_keys on shown_picture using gin (keys) with (fastupdate = off);
create index shown_picture_at on shown_picture (at);
`

// Which brands the case was about, of entries of verdicts from before that was kept with them: a genuine picture that comes
// later spares by it. Whoever follows the banks hears of it.
const brandsOfEntries = `
with marked as (
  update bank_image i
  set source = regexp_replace(i.source::text, '^\\s*\\{', '{"brandIds":' || array_to_json(c.brand_ids)::text || ',')::json,
      change = h.change + 1
  from reference_head h, verdict v, (
    select distinct r.listing_id, p.revision, p.sha256, p.brand_ids from case_picture p
    join review_case r on r.case_id = p.case_id where p.brand_ids <> '{}') c
  where i.state <> 'removed' and v.verdict_id = i.verdict_id
    and c.listing_id = v.listing_id and c.revision = v.revision and c.sha256 = i.sha256
    and i.source::text !~ '"brandIds"\\s*:|^\\s*\\{\\s*\\}'
  returning i.change)
update reference_head set change = change + 1 where exists (select from marked);
`

// A decision names what was seen to be shown for it: rows that are written before a decision were anybody's word on anybody's
// listing. A step by itself, because whoever decides meanwhile waits for it. A process of the version before reads and
// writes `shown_picture` still, and names nothing: what it decides is named for it (both are dropped below).
const shownByDecision = `
alter table decision add column shown bytea;
create table shown_set (
  listing_id text collate "C", digest bytea, hash text collate "C", keys int[] not null,
  at timestamptz not null default now(), primary key (listing_id, digest, hash)
);
create index shown_set_keys on shown_set using gin (keys) with (fastupdate = off);
create index shown_set_at on shown_set (at);
create table shown_unproven (
  listing_id text collate "C", digest bytea, hashes text[] not null,
  at timestamptz not null default now(), primary key (listing_id, digest)
);
create index shown_unproven_at on shown_unproven (at);
create function name_what_is_shown() returns trigger language plpgsql as $$
begin
  select sha256(convert_to(string_agg(s.hash, e'\\n' order by s.hash), 'UTF8')) into new.shown
  from shown_picture s where s.listing_id = new.listing_id and s.revision = new.revision;
  insert into shown_set (listing_id, hash, digest, keys)
  select s.listing_id, s.hash, new.shown, s.keys from shown_picture s
  where s.listing_id = new.listing_id and s.revision = new.revision order by s.hash
  on conflict do nothing;
  return new;
end $$;
create trigger name_what_is_shown before insert on decision for each row
  when (new.shown is null and new.stage in ('screening', 'rescreen')) execute function name_what_is_shown();
`

// What standing revisions show is taken along, with since when: each decision on the listing showed what was noted until it
// was made. To the millisecond, which is what decisions are told in.
const shownSince = `
with named as (
  select d.listing_id, d.sequence, d.decided_at, array_agg(s.hash) as hashes,
         sha256(convert_to(string_agg(s.hash, e'\\n' order by s.hash), 'UTF8')) as digest
  from shown_picture s join listing l on l.listing_id = s.listing_id and l.revision = s.revision
  join decision d on d.listing_id = s.listing_id and d.stage in ('screening', 'rescreen') and d.shown is null
    and (d.revision = l.revision or date_trunc('milliseconds', s.at) <= d.decided_at)
  group by d.listing_id, d.sequence),
said as (
  update decision d set shown = n.digest from named n where d.listing_id = n.listing_id and d.sequence = n.sequence)
insert into shown_set (listing_id, hash, digest, keys, at)
select n.listing_id, s.hash, n.digest, s.keys, greatest(s.at, max(n.decided_at))
from named n join shown_picture s on s.listing_id = n.listing_id and s.hash = any(n.hashes)
group by n.listing_id, s.hash, n.digest, s.keys, s.at
order by n.listing_id, n.digest, s.hash on conflict do nothing;
`

// No version that was released wrote `shown_picture`: there is no process that it must be there for.
const shownBySetsAlone = `
drop trigger name_what_is_shown on decision;
drop function name_what_is_shown;
drop table shown_picture;
`

// Keys of 20 bits beside those of 16: a sixteenth of the rows shares one by chance (see shown-pictures.ts). Processes of the
// version before write and ask the old ones alone, so both stay for now, and what such a process writes gets the new ones here.
// What is there already gets them in small steps in the background, as far as `shown_widening` says: with its index that takes
// minutes for a million rows, in which no worker could decide. What cannot be read as a hash has none.
const widerKeys = `
alter table shown_set add column wide_keys int[];
create function wide_keys_of(hash text) returns int[] language sql immutable as $$
  select case when hash !~ '^[0-9a-f]{64}$' then '{}' else array(
    select (part << 20) + ('x' || substr(hash || hash, part * 4 + 1, 5))::bit(20)::int from generate_series(0, 15) part) end
$$;
create function widen_what_is_shown() returns trigger language plpgsql set search_path from current as $$
begin
  new.wide_keys := wide_keys_of(new.hash);
  return new;
end $$;
create trigger widen_what_is_shown before insert on shown_set for each row
  when (new.wide_keys is null) execute function widen_what_is_shown();
create table shown_widening (
  listing_id text collate "C" not null, digest bytea not null, hash text collate "C" not null, missed boolean not null
);
insert into shown_widening select '', '', '', false where exists (select from shown_set);
`

// By itself, so that nobody who only reads waits for it. It has no row yet: the table is read once, nothing is built.
const widerKeysIndex = `
create index shown_set_wide_keys on shown_set using gin (wide_keys) with (fastupdate = off) where wide_keys is not null;
`

// Of an id of which nothing is decided: which marketplaces besides the latest withdrew it, and which revision.
const withdrawnUnknown = `
alter table listing add column withdrawn_by_others json;
`

// What waits for somebody to vouch for it is counted with every look at the banks, of which one may have a million pictures.
// Not by `->>`, which fails on a file's name with half a character (see bank-rights.ts).
const unvouched = `
create index bank_image_unvouched on bank_image (bank_id, image_id) where state = 'active' and source::text ~ '"by"\\s*:\\s*"brand"';
`

// A withdrawal may name a later revision than any that was decided: such a case was about nothing that anybody could look at.
const casesOfWithdrawn = `
update review_case c set revision = d.revision
from (select w.case_id, (select max(d.revision) from decision d where d.listing_id = w.listing_id and d.revision <= w.revision) as revision
      from review_case w where w.state = 'withdrawn') d
where d.case_id = c.case_id and d.revision < c.revision;
`

// Nothing is said of cases from before: they count as opened with the first pictures that they have.
const openedWith = `
alter table review_case add column opened_revision int;
`

// Pictures for which nobody vouches have another mark besides: the index is for both. A process of the version before asks for
// the old one, and reads the bank without.
const unvouchedWords = `
create index bank_image_limited on bank_image (bank_id, image_id)
  where state = 'active' and source::text ~ '"by"\\s*:\\s*"(brand|nobody)"';
`

// People look at what was closed lately, to take back what was wrong; what was ever closed is not sorted for that.
const closedLately = `
create index review_case_closed on review_case (closed_at desc, case_id) where closed_at is not null;
`

// Which training runs, or ran last: whose turn it is says a lock, which ends with its process.
const trainings = `
create table training (one boolean primary key default true check (one), training_id uuid not null, state json not null);
`

// By itself: behind the new one in one transaction it would wait for whoever reads the banks, who may then wait for it to write.
const unvouchedGone = `
drop index if exists bank_image_unvouched;
`

// Pictures that came inline are nowhere else: what of them nobody could look at goes along until the listing is tried again.
// They hardly get smaller when they are packed.
const inlineUnseen = `
alter table rescreen add column inline bytea;
alter table rescreen alter column inline set storage external;
`

export const LATER_MIGRATIONS: readonly Migration[] = [
  { name: 'whose word a picture of a bank is', sql: words },
  { name: 'pictures of cases that are no longer kept', sql: goneFromCases },
  { name: 'quarantine for some marketplaces, and alerts', sql: alerts },
  { name: 'frames of animations', sql: frames },
  { name: 'what listings show', sql: shown },
  { name: 'the brands of what verdicts put into banks', sql: brandsOfEntries },
  { name: 'what listings show, by what was decided on it', sql: shownByDecision },
  { name: 'since when listings have shown it', sql: shownSince },
  { name: 'what listings show, by its sets alone', sql: shownBySetsAlone },
  { name: 'wider keys of what listings show, beside the old', sql: widerKeys },
  { name: 'the index of the wider keys', sql: widerKeysIndex },
  { name: 'withdrawals of unknown listings by several marketplaces', sql: withdrawnUnknown },
  { name: 'pictures of banks for which nobody vouches', sql: unvouched },
  { name: 'cases of withdrawn listings are about what was decided', sql: casesOfWithdrawn },
  { name: 'what a case was opened with', sql: openedWith },
  { name: 'pictures of banks that no word was about', sql: unvouchedWords },
  { name: 'cases by when they were closed', sql: closedLately },
  { name: 'the training that runs or ran last', sql: trainings },
  { name: 'the index of pictures that a word was about is gone', sql: unvouchedGone },
  { name: 'pictures sent inline, until they are looked at', sql: inlineUnseen },
]
