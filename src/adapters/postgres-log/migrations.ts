// The tables of the log, in the order in which they came to be; whoever opens the database applies them before the log is used.

export interface Migration {
  readonly name: string
  readonly sql: string
}

// A schema of its own: statements name it, so that they mean the same on a caller's connection whatever its search path is.
// partition and lease are few and hot rows: room in the page keeps their updates out of the index.
// record has no foreign keys: only the statements in append.ts and retention.ts write it, under the partition's row.
const log = `
create schema if not exists touchstone_log;
create table touchstone_log.topic (
  topic_id integer generated always as identity primary key,
  name text not null unique,
  partitions integer not null check (partitions between 1 and 1000),
  retention_hours double precision not null check (retention_hours > 0),
  created_at timestamptz not null default now()
);
create table touchstone_log.partition (
  topic_id integer not null,
  partition integer not null,
  low bigint not null default 0,
  next bigint not null default 0,
  primary key (topic_id, partition),
  check (low between 0 and next)
) with (fillfactor = 10);
create table touchstone_log.record (
  topic_id integer not null,
  partition integer not null,
  record_offset bigint not null,
  appended_at timestamptz not null,
  bytes integer not null,
  key bytea,
  value bytea,
  headers bytea not null,
  primary key (topic_id, partition, record_offset)
);
create table touchstone_log.member (
  group_name text not null,
  topic_id integer not null,
  member uuid not null,
  until timestamptz not null,
  primary key (group_name, topic_id, member)
) with (fillfactor = 50);
create table touchstone_log.lease (
  group_name text not null,
  topic_id integer not null,
  partition integer not null,
  owner uuid,
  epoch bigint not null default 0,
  until timestamptz not null default '-infinity',
  primary key (group_name, topic_id, partition)
) with (fillfactor = 10);
`

/** Append only: a migration that was released is never edited. */
export const LOG_MIGRATIONS: readonly Migration[] = [{ name: 'the log: topics, records, members and leases', sql: log }]
