// Several statements in one round trip: sent at once in their order, answered at once, and the first failure ends them all.
import pg from 'pg'
import type { Connection, PoolClient, QueryResult } from 'pg'

export interface Sent {
  readonly text: string
  readonly values: readonly unknown[]
  /** Of a prepared statement. */
  readonly name: string | undefined
}

/** What a query of the driver does beside what its types say. */
interface Part {
  readonly name: string | undefined
  readonly text: string | undefined
  submit(connection: Connection): Error | null
  handleRowDescription(message: unknown): void
  handleDataRow(message: unknown): void
  handleCommandComplete(message: unknown, connection: Connection): void
  handleReadyForQuery(connection: Connection): void
}

/**
 * The answers in the order of the statements. There is one point of synchronisation, after the last: behind a statement
 * that failed the server skips all others, so a `begin` that failed can never leave what follows to take effect by itself,
 * and no `commit` follows a failure. Rejects with the first failure, and then the connection must not be used for anything
 * but a rollback: names may stand for statements that were skipped, unless it was
 * the last, which `refused` is told when the server refuses one. (The driver's own `pipeline` synchronises after every
 * statement, which has none of this, and answers each of them separately.)
 */
export function inOneRoundTrip(
  client: PoolClient,
  statements: readonly Sent[],
  refused?: (at: number) => void,
): Promise<QueryResult[]> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | undefined, results: QueryResult[]) =>
      error === undefined ? resolve(results) : reject(error)
    client.query(batchOf(statements, done, refused))
  })
}

interface Batch extends Part {
  /** Replaced by the driver: by one that also stops its clock, and after a timeout by one that does nothing. */
  callback: (error: Error | null | undefined, results: QueryResult[]) => void
  handleError(error: Error): void
}

/** Looks to the driver like one query, which it gives whatever the server answers until it is ready again. */
function batchOf(
  statements: readonly Sent[],
  done: (error: Error | undefined, results: QueryResult[]) => void,
  refused?: (at: number) => void,
): Batch {
  const results: QueryResult[] = []
  let failure: Error | undefined
  let answered = 0
  const parts = statements.map(({ text, values, name }): Part => {
    const config = { text, values: [...values], name, queryMode: 'extended' }
    const query: unknown = new pg.Query(
      config as pg.QueryConfig,
      (error: Error | null | undefined, result: unknown) => {
        if (!(error instanceof Error)) results.push(result as QueryResult)
        else failure ??= error
      },
    )
    return query as Part
  })
  return {
    // The driver notes what is parsed by now from the name and the text of the query that it waits for.
    get name() {
      return parts[answered]?.name
    },
    get text() {
      return parts[answered]?.text
    },
    callback: (error, all) => done(error ?? undefined, all),
    submit(connection) {
      connection.stream.cork()
      try {
        const quiet = Object.create(connection, { sync: { value: () => undefined } }) as Connection
        for (const part of parts) {
          // What cannot even be sent ends it here: nothing behind it is sent.
          const unsent = part.submit(quiet)
          failure ??= unsent ?? undefined
          if (failure !== undefined) break
        }
        connection.sync()
      } finally {
        connection.stream.uncork()
      }
      return null
    },
    handleRowDescription: (message) => parts[answered]?.handleRowDescription(message),
    handleDataRow: (message) => parts[answered]?.handleDataRow(message),
    handleCommandComplete(message, connection) {
      parts[answered]?.handleCommandComplete(message, connection)
      answered += 1
    },
    handleReadyForQuery(connection) {
      for (const part of parts.slice(0, answered)) part.handleReadyForQuery(connection)
      this.callback(failure, results)
    },
    handleError(error) {
      if (error instanceof pg.DatabaseError) refused?.(answered)
      this.callback(error, results)
    },
  }
}
