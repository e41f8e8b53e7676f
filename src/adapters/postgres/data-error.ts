// Tells what a record says from how the server is doing: some values no database can take, whoever sends them.
import pg from 'pg'

/** Classes 22 (data exception, such as a date that does not exist) and 54 (a limit of the program, such as an index row too long). */
const DATA_STATE = /^(22|54)/

/** The same statement with the same values can never succeed. */
export function isDataError(error: unknown): boolean {
  return error instanceof pg.DatabaseError && DATA_STATE.test(error.code ?? '')
}

/** Class 23 (integrity): a bug of whoever made the rows. Only an answer of the database, so nothing was written. */
const WRITES_STATE = /^(22|23|54)/

/** The database refused what was to be written: nothing was, and other rows may well be taken. */
export function isAboutTheWrites(error: unknown): boolean {
  return error instanceof pg.DatabaseError && WRITES_STATE.test(error.code ?? '')
}
