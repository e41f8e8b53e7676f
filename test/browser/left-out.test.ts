// What a confirmation leaves out of the bank, and how it is put in after all, in a real Chromium. Real: PostgreSQL, the whole
// gate, banks, sharp, the HTTP server on loopback. Made up: the goods, the pictures, the people. Nothing is sent to any address but loopback.
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { address, held, keys, look, raw, submitted } from '../flow/reviewing.ts'
import { becomes, honest, inline } from '../flow/tenants.ts'
import { disguised, drawnPicture } from '../support/drawn-pictures.ts'
import { hasChromium, openCaseOf, signInAt } from './chromium.ts'
import { weakContrasts } from './contrast.ts'
import { onPages } from './reviewing-page.ts'

describe.runIf(hasChromium)('what a confirmation left out of the bank', () => {
  let page: Page
  let asked: readonly string[]
  onPages((opened) => ({ page, asked } = opened))

  const told = (words: string) => page.waitForSelector(`#details .told:has-text(${JSON.stringify(words)})`)
  const confirm = () => page.getByRole('button', { name: 'Confirm: it infringes' }).press('Enter')
  const rows = () => page.locator('#details .left-out li')
  const buttons = () => page.getByRole('button', { name: 'It is the fake: add it' })
  const open = async (as: keyof typeof keys, listingId: string) => {
    await signInAt(page, address(), keys[as])
    await openCaseOf(page, listingId)
  }

  /** A listing that shows two fakes, of which an older account of the ring has the first on sale. */
  async function ring(listingId: string, seed: number) {
    const [shown, other] = [await drawnPicture(seed), await drawnPicture(seed + 1)]
    const accomplice = await honest(shown, 'A wooden chair')
    expect(accomplice.outcome).toBe('allow')
    const decision = await held(listingId, { images: [inline(other), inline(await disguised(shown))] })
    return { decision, accomplice, shown, other }
  }

  it('is shown with why and by whom; one press by keyboard names it beside all that had joined', async () => {
    const { decision, accomplice, shown, other } = await ring('of-a-ring', 200)
    await signInAt(page, address(), keys.analyst)
    // Told before any word on it, where the picture is looked at and where it is ticked; a busy machine may not know it in time.
    const captions = async () => {
      await page.keyboard.press('Escape')
      await openCaseOf(page, 'of-a-ring')
      await page.locator('#details .thumbs figcaption').nth(1).waitFor()
      return page.locator('#details .thumbs figcaption').allTextContents()
    }
    await expect
      .poll(captions, { timeout: 30_000 })
      .toEqual(['Picture 1 of the listing', 'Picture 2 of the listing: other sellers have it on sale'])
    expect(await page.locator('#details .word label[for^="verdict-picture"]').allTextContents()).toEqual([
      ' Picture 1',
      ' Picture 2: other sellers have it on sale',
    ])
    await confirm()
    await told('left out: 1 shown on sale by other sellers too. Below is what was left out.')
    await page.locator('#details .left-out img[alt="Picture 2"]').waitFor()
    expect(await rows().allTextContents()).toEqual([
      expect.stringContaining('Picture 2: another seller had it on sale before, and still has.'),
    ])
    expect(await rows().textContent()).toContain(`Shown by listing ${accomplice.listingId}.`)
    // It comes next for whoever heard what was said.
    const described = await page.evaluate(
      `document.getElementById(document.querySelector('.left-out button').getAttribute('aria-describedby')).textContent`,
    )
    expect(described).toBe('Picture 2: another seller had it on sale before, and still has.')
    await page.keyboard.press('Tab')
    await expect.poll(() => page.evaluate('document.activeElement.closest(".left-out") !== null')).toBe(true)
    await buttons().press('Enter')
    await told('Added: your word names it now. The listing is blocked now. 2 pictures joined the bank')
    expect(await page.evaluate('document.activeElement.className')).toBe('told')
    expect(await rows().count()).toBe(0)

    const { body } = await look(decision.caseId, 'analyst')
    const [first, second] = body.verdicts as unknown as { verdictId: string; supersedes: string; pictures: string[] }[]
    expect([body.verdicts.length, second?.supersedes, second?.pictures.length]).toEqual([2, first?.verdictId, 2])
    expect(asked.filter((url) => url.endsWith('/verdict'))).toHaveLength(2)
    await becomes('hold', shown)
    await becomes('hold', other)
  })

  it('is named to a rights holder without the listings of others', async () => {
    const { accomplice } = await ring('of-a-brand', 204)
    await signInAt(page, address(), keys.rolex)
    await page.locator('#case-rows .row:has-text("of-a-brand") .open').click()
    await confirm()
    await buttons().waitFor()
    expect(await page.textContent('#details')).not.toContain(accomplice.listingId)
    expect(await rows().textContent()).not.toContain('Shown by')
    await buttons().click()
    await told('Added: your word names it now.')
    await told('1 of them only against listings that name the brand')
  })

  it('names nothing of an edit in between that nobody has looked at for it: that can be added by itself', async () => {
    const [inBetween, another] = [await drawnPicture(208), await drawnPicture(209)]
    const { decision, shown, other } = await ring('edited-ring', 210)
    const edit = (revision: number, ...pictures: Buffer[]) =>
      submitted('edited-ring', { revision, images: pictures.map(inline) })
    await edit(2, inBetween)
    const { body: last } = await edit(3, another, await disguised(shown))
    expect([last.outcome, last.caseId]).toEqual(['hold', decision.caseId])
    await open('analyst', 'edited-ring')
    await confirm()
    await told('3 pictures joined the bank')
    await buttons().first().click()
    await told('Added: your word names it now.')
    await expect
      .poll(() => rows().allTextContents())
      .toEqual([
        expect.stringContaining('Picture 1 of revision 2, before the edit: an edit in between alone showed it'),
      ])
    const stranger = await submitted('stranger', { sellerId: 'S-9', title: 'A chair', images: [inline(inBetween)] })
    await becomes('hold', shown)
    await becomes('hold', other)
    expect(stranger.body.outcome).toBe('allow')
    await buttons().click()
    await told('4 pictures joined the bank')
    expect(await rows().count()).toBe(0)
    await becomes('hold', inBetween)
  })

  it('is gone once the word is taken back, or somebody else has spoken since', async () => {
    const { decision } = await ring('taken-back', 216)
    await open('analyst', 'taken-back')
    await confirm()
    await buttons().waitFor()
    const { body } = await look(decision.caseId, 'analyst')
    const [first] = body.verdicts as unknown as { verdictId: string }[]
    const said = { verdict: 'cannot-tell', supersedes: first?.verdictId, decisionId: decision.decisionId }
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(said) }
    expect((await raw(`/v1/cases/${decision.caseId}/verdict`, 'analyst2', init)).status).toBe(200)
    await buttons().click()
    await told('Nothing was recorded: somebody was faster')
    expect(await rows().count()).toBe(0)
    await confirm()
    await buttons().waitFor()
    await page.getByRole('button', { name: 'Take back', exact: true }).click()
    await told('Taken back.')
    expect(await rows().count()).toBe(0)
  })

  it.each(['light', 'dark'] as const)('has enough contrast in %s, and no scrolling sideways', async (colorScheme) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await ring(`seen-${colorScheme}`, colorScheme === 'light' ? 220 : 224)
    await open('analyst', `seen-${colorScheme}`)
    await confirm()
    await page.locator('#details .left-out img').waitFor()
    expect(await weakContrasts(page)).toEqual([])
    await page.setViewportSize({ width: 360, height: 740 })
    const wider =
      'document.documentElement.scrollWidth > innerWidth || document.querySelector("#details").scrollWidth > innerWidth'
    expect(await page.evaluate(wider)).toBe(false)
  })
})
