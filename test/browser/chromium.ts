// The real Chromium of these tests: pages on which nothing may go wrong, and the steps that most tests begin with.
import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { realPart } from '../support/real-parts.ts'

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'

/** For `describe.runIf`. */
export const hasChromium = realPart(
  'Chromium',
  existsSync(executablePath),
  `set CHROMIUM_PATH: none at ${executablePath}`,
)

export interface WatchedPage {
  readonly page: Page
  /** Every address that the browser asked for. */
  readonly asked: readonly string[]
  /** Fails where a script threw, or a script or a style was refused. */
  close(): Promise<void>
}

/** For a `describe`: one browser for all of its tests. What is returned opens a page in it. */
export function oneBrowser(): () => Promise<WatchedPage> {
  let browser: Browser
  beforeAll(async () => {
    // In a container there are no namespaces to build the sandbox from; the pages are ours.
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  })
  afterAll(() => browser?.close())
  return () => openPage(browser)
}

async function openPage(browser: Browser): Promise<WatchedPage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' })
  page.setDefaultTimeout(10_000)
  const faults: string[] = []
  const asked: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text())
  })
  page.on('request', (request) => asked.push(request.url()))
  return {
    page,
    asked,
    async close() {
      await page.close()
      expect(faults).toEqual([])
    },
  }
}

export async function signInAt(page: Page, address: string, key: string): Promise<void> {
  await page.goto(address)
  await page.fill('#key', key)
  await page.press('#key', 'Enter')
  await page.waitForSelector('#signed-out', { state: 'hidden' })
}

/** Finds it in the list that is shown, and opens its case. */
export async function openCaseOf(page: Page, listingId: string): Promise<void> {
  await page.fill('#search', listingId)
  await page.locator('.row:visible .open').first().click()
  await page.waitForSelector('#details .case dl')
}
