// Before the gate that the stories of reviewing share, a page of its own for every test, which asks nobody else for anything.
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { address, closeReviewing, openReviewing } from '../flow/reviewing.ts'
import { oneBrowser, type WatchedPage } from './chromium.ts'

/** For a `describe`, before hooks of its own: `give` is told the page before each test. */
export function onPages(give: (opened: WatchedPage) => void): void {
  const open = oneBrowser()
  let watched: WatchedPage
  beforeAll(openReviewing, 120_000)
  afterAll(closeReviewing, 60_000)
  beforeEach(async () => {
    watched = await open()
    give(watched)
  })
  afterEach(async () => {
    await watched.close()
    // Above all no address of a seller.
    expect(watched.asked.filter((url) => !url.startsWith(`${address()}/`))).toEqual([])
  })
}
