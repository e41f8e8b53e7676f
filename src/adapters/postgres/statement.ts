// Statements as values: written with Kysely's templates, compiled away from any connection, sent several at a time.
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
} from 'kysely'
import type { QueryResult, QueryResultRow } from 'pg'
import type { Sent } from './round-trip.ts'

/** One statement whose answer has rows of this kind. */
export type Statement<Row = unknown> = RawBuilder<Row>

export type Answers<Statements extends readonly Statement[]> = {
  -readonly [At in keyof Statements]: Statements[At] extends Statement<infer Row extends QueryResultRow>
    ? QueryResult<Row>
    : QueryResult
}

const compiler = new Kysely<unknown>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

const texts = new WeakMap<Statement, Pick<Sent, 'text' | 'values'>>()

function textOf(statement: Statement): Pick<Sent, 'text' | 'values'> {
  let text = texts.get(statement)
  if (text === undefined) {
    const query = statement.compile(compiler)
    text = { text: query.sql, values: query.parameters }
    texts.set(statement, text)
  }
  return text
}

export const compiled = (statement: Statement, nameOf: (text: string) => string | undefined): Sent => {
  const text = textOf(statement)
  return { ...text, name: nameOf(text.text) }
}

/** Of the blobs that the statements carry, which are most of what they are. */
export const bytesOf = (statements: readonly Statement[]): number =>
  statements
    .flatMap((statement) => textOf(statement).values)
    .reduce<number>((sum, value) => sum + (value instanceof Uint8Array ? value.byteLength : 0), 0)
