// The contract of the port `Log`: every adapter passes this suite against a real server before it may carry listings.
import { afterAll, beforeAll, describe } from 'vitest'
import { appending } from './log-appending.ts'
import { reading } from './log-reading.ts'
import { sharing } from './log-sharing.ts'
import { stopping } from './log-stopping.ts'
import type { LogHarness, StartLog } from './log-support.ts'
import { watching } from './log-watching.ts'

export type { LogHarness, StartLog } from './log-support.ts'

export function describeLog(name: string, start: StartLog): void {
  describe(`the log: ${name}`, () => {
    let harness: LogHarness | undefined
    beforeAll(async () => {
      harness = await start()
    })
    afterAll(async () => harness?.close())
    const get = (): LogHarness => {
      if (harness === undefined) throw new Error('The log did not start')
      return harness
    }
    describe('appending', () => appending(get))
    describe('reading', () => reading(get))
    describe('sharing the partitions of a group', () => sharing(get))
    describe('failing and stopping', () => stopping(get))
    describe('watching', () => watching(get))
  })
}
