// A session that ends while somebody is at a case, in a real Chromium. Real: PostgreSQL, the whole gate, the HTTP server on
// loopback. Made up: the goods, the people, the policy.
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { address, held, keys, look } from '../flow/reviewing.ts'
import { hasChromium, openCaseOf, signInAt } from './chromium.ts'
import { weakContrasts } from './contrast.ts'
import { onPages } from './reviewing-page.ts'

describe.runIf(hasChromium)('a session that ends while a case is open', () => {
  let page: Page

  onPages((opened) => ({ page } = opened))

  /** As it does when its time is up: the page is told of it by the next answer. */
  const endSession = () => page.evaluate(`fetch('/sign-out', { method: 'POST' })`)
  const signedOut = () => page.waitForSelector('#signed-out:not([hidden])')
  const at = (caseId = '') => `${address()}/#case=${encodeURIComponent(caseId)}`
  const said = () => page.textContent('#key-error')

  async function signInAgain(as: keyof typeof keys): Promise<void> {
    await page.fill('#key', keys[as])
    await page.press('#key', 'Enter')
    await page.waitForSelector('#signed-out', { state: 'hidden' })
  }

  it('is gone on with at the case, when the feed is told first', async () => {
    const { caseId } = await held('ends-by-the-feed')
    await signInAt(page, address(), keys.analyst)
    await openCaseOf(page, 'ends-by-the-feed')
    await endSession()
    await held('wakes-the-feed')
    await signedOut()
    await expect.poll(() => page.locator('#details[open]').count()).toBe(0)
    expect([page.url(), await page.textContent('#details')]).toEqual([at(caseId), expect.not.stringContaining('Rolex')])
    expect(await said()).toBe('Your session has ended. Sign in again, and you are back at the case.')
    await signInAgain('analyst')
    await page.waitForSelector('#details .case dl')
    expect(await page.textContent('#details')).toContain('ends-by-the-feed')
    await page.keyboard.press('Escape')
    await expect.poll(() => page.url()).toBe(`${address()}/`)
  })

  it('is gone on with at the case, when a word was not recorded', async () => {
    const { caseId } = await held('ends-by-a-word')
    await signInAt(page, address(), keys.rolex)
    await page.locator('#case-rows .row:has-text("ends-by-a-word") .open').click()
    await page.waitForSelector('#details .case dl')
    await endSession()
    const confirm = page.getByRole('button', { name: 'Confirm: it infringes' })
    await confirm.click()
    await page.waitForSelector('#details .told:has-text("Nothing was recorded: your session has ended.")')
    await page.keyboard.press('Escape')
    await signedOut()
    expect(page.url()).toBe(at(caseId))
    await signInAgain('rolex')
    await page.waitForSelector('#details .case dl')
    await confirm.click()
    await page.waitForSelector('#details .told:has-text("Confirmed.")')
    expect((await look(caseId, 'analyst')).body.verdicts).toHaveLength(1)
  })

  it('is not gone on with by whoever signs in after somebody who has signed out', async () => {
    await signInAt(page, at('of-nobody'), keys.analyst)
    await page.waitForSelector('#cases-note:has-text("That case is not there for you")')
    await page.click('#sign-out')
    await signedOut()
    expect([page.url(), await said()]).toEqual([`${address()}/`, ''])
  })

  it.each(['light', 'dark'] as const)('says in %s what to do, with enough contrast', async (colorScheme) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await held(`ends-in-${colorScheme}`)
    await signInAt(page, address(), keys.analyst)
    await openCaseOf(page, `ends-in-${colorScheme}`)
    await endSession()
    await held(`wakes-in-${colorScheme}`)
    await signedOut()
    expect(await weakContrasts(page)).toEqual([])
  })
})
