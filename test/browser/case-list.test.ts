// The list of cases on the page, and a case that its seller has ended, in a real Chromium. Real: PostgreSQL, the whole gate,
// the HTTP server on loopback. Made up: the goods, the people, the policy.
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { drawnPicture } from '../support/drawn-pictures.ts'
import { address, call, held, keys, look, say, withdraw } from '../flow/reviewing.ts'
import { hasChromium, openCaseOf, signInAt } from './chromium.ts'
import { onPages } from './reviewing-page.ts'

describe.runIf(hasChromium)('the list of cases on the page', () => {
  let page: Page

  onPages((opened) => ({ page } = opened))

  const signIn = (as: keyof typeof keys) => signInAt(page, address(), keys[as])

  it('says of each case in the list why it is there, as the case does: the strongest reason, and what else brought it back', async () => {
    const overt = await held('why-overt', { brand: 'Rolex' })
    const cheap = await held('why-cheap', { title: 'Rolex Submariner, steel watch', brand: 'Rolex' })
    const again = await held('why-again')
    await say(again.caseId, 'analyst', { verdict: 'confirmed' })
    await call('POST', '/v1/listings/why-again/appeals', 'ingest', { text: 'Here is my invoice.' })
    const [wording, price] = [overt.reasons[0]?.text, cheap.reasons[0]?.text]
    expect(wording).not.toBe(price)
    await signIn('rolex')
    const why = (listingId: string) => page.locator(`#case-rows .row:has-text("${listingId}") .c-reason`).textContent()
    await page.waitForSelector('#case-rows .row:has-text("why-again")')
    expect(await why('why-overt')).toBe(`${wording}About rolex.`)
    expect(await why('why-cheap')).toBe(`${price}About rolex.`)
    expect(await why('why-again')).toBe(`Its seller answered. ${again.reasons[0]?.text}About rolex.`)
    await page.locator('#case-rows .row:has-text("why-cheap") .open').click()
    await page.waitForSelector(`#details section:has-text("Reasons, as the seller reads them") li:has-text("${price}")`)
  })

  it('of a listing that its seller has withdrawn a word is taken back, and the page says that it stays withdrawn', async () => {
    const decision = await held('withdrawn')
    await say(decision.caseId, 'analyst', { verdict: 'confirmed' })
    await call('POST', '/v1/listings/withdrawn/withdrawals', 'ingest', { revision: 1 })
    const withdrawn = async () =>
      (await call<{ current: { withdrawnRevision: number } }>('GET', '/v1/listings/withdrawn', 'ingest')).body.current
    await expect.poll(withdrawn, { timeout: 10_000 }).toMatchObject({ withdrawnRevision: 1 })
    await signIn('analyst')
    await openCaseOf(page, 'withdrawn')
    await page.getByRole('button', { name: 'Take back' }).click()
    await page.waitForSelector('#details .told:has-text("Taken back. Its listing stays withdrawn.")')
    await page.waitForSelector('#details .case dd:has-text("Withdrawn by its seller")')
    expect((await look(decision.caseId, 'analyst')).body.decisions.at(-1)?.outcome).toBe('block')
  })

  it('what was confirmed is found again after a reload and taken back by keyboard alone; how many wait is told all the while', async () => {
    await held('waits-all-the-while')
    const decision = await held('found-again')
    await signIn('analyst')
    await openCaseOf(page, 'found-again')
    await page.getByRole('button', { name: 'Confirm: it infringes' }).click()
    await page.waitForSelector('#details .told:has-text("Confirmed.")')
    await page.reload()
    await page.waitForSelector('#details .case dl')
    await page.keyboard.press('Escape')
    await page.waitForSelector('#cases-title:has-text("Open cases")')
    await page.waitForSelector('#case-rows .row')
    expect(await page.locator('#case-rows .row:has-text("found-again")').count()).toBe(0)
    const waiting = await page.locator('#case-rows .row').count()
    await page.keyboard.press('j')
    await page.keyboard.press('c')
    const row = page.locator('#case-rows .row').first()
    await row.filter({ hasText: 'found-again' }).waitFor()
    expect(await page.evaluate('document.activeElement.id')).toBe('cases-title')
    expect(await page.textContent('#cases-title')).toBe('Closed cases, the last one on top')
    expect(await row.locator('.c-outcome').textContent()).toBe('Blocked')
    expect(await row.locator('.c-reason').textContent()).toContain('Resolved: decided by verdicts. ')
    expect(await page.textContent('#cases-count')).toBe(String(waiting))
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#details .case dl')
    await page.getByRole('button', { name: 'To the case' }).press('Enter')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#details .told:has-text("Taken back. The listing is held. The case is open again.")')
    await page.keyboard.press('Escape')
    await page.waitForSelector(`#cases-count:text-is("${waiting + 1}")`)
    expect(await page.locator('#case-rows .row:has-text("found-again")').count()).toBe(0)
    await page.keyboard.press('c')
    await page.waitForSelector('#case-rows .row:has-text("found-again")')
    expect((await look(decision.caseId, 'analyst')).body.state).toBe('open')
  })

  it('a case has an address, which opens it whatever its state, and to others says nothing of it', async () => {
    const [own, other] = [await held('addressed'), await held('withdrawn-later')]
    await signIn('analyst')
    await openCaseOf(page, 'addressed')
    const at = page.url()
    expect(at).toBe(`${address()}/#case=${own.caseId}`)
    await page.keyboard.press('Escape')
    await page.waitForFunction('location.hash === ""')
    await say(own.caseId, 'analyst', { verdict: 'rejected' })
    await withdraw('withdrawn-later', 1)
    // By hand into the same page.
    await page.goto(`${address()}/#case=${other.caseId}`)
    await page.waitForSelector('#details .case dd:has-text("Withdrawn by its seller")')
    await page.goto(at)
    await page.waitForSelector('#details .case dd:has-text("Resolved: decided by verdicts")')
    await page.waitForSelector('#details .case li:has-text("Rejected")')
    await page.keyboard.press('Escape')
    await page.click('#sign-out')
    await page.waitForSelector('#signed-out:not([hidden])')
    for (const [as, caseId] of [
      ['omega', own.caseId],
      ['rolex', 'none of this kind'],
    ] as const) {
      await page.goto('about:blank')
      await page.goto(`${address()}/#case=${caseId}`)
      await page.fill('#key', keys[as])
      await page.press('#key', 'Enter')
      await page.waitForSelector('#cases-note:has-text("That case is not there for you, or not any more.")')
      expect(await page.locator('#details').isVisible()).toBe(false)
      await page.click('#sign-out')
      await page.waitForSelector('#signed-out:not([hidden])')
    }
    await page.goto('about:blank')
    await page.goto(at)
    await page.fill('#key', keys.rolex)
    await page.press('#key', 'Enter')
    await page.waitForSelector('#details .case li:has-text("Rejected")')
  })

  it('shows what the listing showed before its edit, and says that it joined; also of one that is withdrawn', async () => {
    const images = [{ data: (await drawnPicture(700)).toString('base64') }]
    await held('before-edit', { images })
    const edited = await held('before-edit', { revision: 2 })
    await signIn('analyst')
    await openCaseOf(page, 'before-edit')
    const caption = 'Picture 1 of revision 1, before the edit'
    await page.waitForSelector(`#details .pictures .thumbs:has-text("${caption}")`)
    await call('POST', '/v1/listings/before-edit/withdrawals', 'ingest', { revision: 2 })
    await expect.poll(async () => (await look(edited.caseId, 'analyst')).body.state).toBe('withdrawn')
    await page.reload()
    await page.waitForSelector('#details .case p:has-text("Its seller has taken it back")')
    await page.getByRole('button', { name: 'Confirm: it infringes' }).click()
    await page.waitForSelector(
      '#details .told:has-text("Confirmed. Its listing stays withdrawn. 1 picture joined the bank confirmed, as the listing showed before its edit.")',
    )
  })
})
