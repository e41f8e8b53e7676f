// What a person sees of evidence and cases, in a real Chromium. Real: PostgreSQL, the whole gate, banks, sharp, the HTTP
// server on loopback. Made up: the goods, the pictures, the policy. Nothing is sent to any address but loopback.
import { randomUUID } from 'node:crypto'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { disguised, drawnPicture } from '../support/drawn-pictures.ts'
import { address, held, keys, look, say, submitted } from '../flow/reviewing.ts'
import { hasChromium, openCaseOf, signInAt } from './chromium.ts'
import { weakContrasts } from './contrast.ts'
import { onPages } from './reviewing-page.ts'

describe.runIf(hasChromium)('reviewing on the page', () => {
  let page: Page
  let asked: readonly string[]

  onPages((opened) => ({ page, asked } = opened))
  beforeAll(knownPicture, 60_000)

  /** A rights holder confirms a case; its picture, disguised, is then on sale again, beside one by a seller's address. */
  async function knownPicture(): Promise<void> {
    const picture = await drawnPicture(1)
    const first = await held('first', { images: [{ data: picture.toString('base64') }] })
    await say(first.caseId, 'rolex', { verdict: 'confirmed' })
    const images = [{ data: (await disguised(picture)).toString('base64') }, { url: 'http://127.0.0.1:9/seller.jpg' }]
    for (let tries = 1; ; tries++) {
      if (tries > 50) throw new Error('the picture is not known yet')
      const { text } = await submitted('shown-twice', {
        revision: tries,
        title: 'Steel watch, rolex',
        brand: 'Rolex',
        images,
      })
      if (text.includes('"matches"')) return
    }
  }

  const signIn = (as: keyof typeof keys) => signInAt(page, address(), keys[as])
  const openListing = (listingId: string) => openCaseOf(page, listingId)
  const loaded = (within: string) =>
    page.evaluate<boolean[]>(
      `[...document.querySelectorAll(${JSON.stringify(`${within} img`)})].map((i) => i.complete && i.naturalWidth > 0)`,
    )
  const told = (words: string) => page.waitForSelector(`#details .told:has-text(${JSON.stringify(words)})`)

  it('shows the kept picture beside the one of the bank, and says in words whose it is and how near', async () => {
    await signIn('analyst')
    await openListing('shown-twice')
    const match = page.locator('#details .match')
    await match.locator('text=confirmed by').waitFor()
    expect(await match.locator('.match-words').textContent()).toMatch(
      /^Matches a counterfeit picture confirmed by Rolex on \d+ \w+ \d{4}; (\d+|none) of 256 bits differs?\.$/,
    )
    await expect.poll(() => loaded('#details .pair')).toEqual([true, true])
    expect(await match.getByRole('img').evaluateAll((all) => all.map((i) => (i as { alt?: string }).alt))).toEqual([
      'Picture 1 of the listing',
      'The bank’s picture',
    ])
    expect(await page.textContent('#details .pictures')).toContain('Picture 2 was not seen: ')
    expect(new Set(asked.filter((url) => url.includes('/v1/pictures/'))).size).toBe(2)
  })

  it('keeps an animation still until somebody wants to see it move', async () => {
    const frames = await Promise.all([3, 4].map((seed) => drawnPicture(seed)))
    const gif = await sharp(frames, { join: { animated: true } })
      .gif({ delay: [500, 500] })
      .toBuffer()
    await held('moving', { images: [{ data: gif.toString('base64') }] })
    await signIn('analyst')
    await openListing('moving')
    await page.waitForSelector('#details .thumbs canvas')
    expect(await page.getByRole('img', { name: 'Picture 1 of the listing' }).count()).toBe(1)
    expect(await page.locator('#details img').count()).toBe(0)
    const play = page.getByRole('button', { name: 'Play its frames' })
    await play.press('Enter')
    await expect.poll(() => loaded('#details .thumbs')).toEqual([true])
    await play.press('Enter')
    expect(await page.locator('#details img').count()).toBe(0)
  })

  it('takes a word by keyboard on the very decision that is shown, says what came of it, and takes it back', async () => {
    const decision = await held('judged')
    await signIn('analyst')
    await openListing('judged')
    await page.getByRole('button', { name: 'To the case' }).press('Enter')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.type('no such model')
    // Neither of the two is meant by it.
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    expect(asked.filter((url) => url.endsWith('/verdict'))).toEqual([])
    await page.keyboard.press('Enter')
    await told('Confirmed. The listing is blocked now.')
    expect(await page.evaluate('document.activeElement.className')).toBe('told')
    const { body } = await look(decision.caseId, 'analyst')
    expect(body).toMatchObject({
      state: 'resolved',
      verdicts: [{ verdict: 'confirmed', reason: 'no such model', decisionId: decision.decisionId }],
    })
    await page.waitForSelector('#details #stands:has-text("Blocked")')
    await page.getByRole('button', { name: 'Take back' }).press('Enter')
    await told('Taken back. The listing is held. The case is open again.')
    expect((await look(decision.caseId, 'analyst')).body.state).toBe('open')
  })

  it('whoever comes second reads what the first one said, and nothing is recorded', async () => {
    const decision = await held('raced')
    await signIn('analyst')
    await openListing('raced')
    await say(decision.caseId, 'rolex', { verdict: 'rejected' })
    await page.getByRole('button', { name: 'Confirm: it infringes' }).click()
    await told('Nothing was recorded: somebody was faster; what they said is above. The listing is on sale.')
    await page.waitForSelector('#details .case li:has-text("Rejected for rolex")')
    expect((await look(decision.caseId, 'analyst')).body.verdicts).toHaveLength(1)
  })

  it('of a case that is decided the brand that has not spoken may, and nobody for one that has', async () => {
    const several = { title: 'Rolex and Omega watches, 1:1 super clone replica', brand: 'Rolex' }
    const decision = await held('several', several)
    await say(decision.caseId, 'rolex', { verdict: 'confirmed' })
    await signIn('analyst')
    await openListing('several')
    await page.waitForSelector('#details .case:has-text("What is said for omega is recorded too")')
    expect(await page.locator('#verdict-brand option').allTextContents()).toEqual(['omega'])
    await page.getByRole('button', { name: 'Confirm: it infringes' }).click()
    await told('Confirmed. The listing is blocked')
    await page.waitForSelector('#details .case li:has-text("Confirmed for omega")')
    await expect.poll(() => page.getByRole('button', { name: 'Confirm: it infringes' }).count()).toBe(0)
    expect((await look(decision.caseId, 'omega')).body.verdicts).toMatchObject([{ verdict: 'confirmed' }])
  })

  it('nothing is said of a revision that was not looked at; the page shows it first', async () => {
    await held('edited')
    await signIn('analyst')
    await openListing('edited')
    const { body: edited } = await submitted('edited', { revision: 2, title: 'Rolex Daytona 1:1 super clone' })
    await page.getByRole('button', { name: 'Reject: it does not' }).click()
    await told('Nothing was recorded: the case changed while you looked')
    await page.getByRole('button', { name: 'Show revision 2' }).click()
    await page.waitForSelector('#details .case dl')
    await page.getByRole('button', { name: 'Reject: it does not' }).click()
    await told('Rejected. The listing is on sale now.')
    expect((await look(edited.caseId, 'analyst')).body.verdicts).toMatchObject([{ decisionId: edited.decisionId }])
  })

  it('of an answer that got lost nobody knows; said again it counts once', async () => {
    const decision = await held('lost')
    await signIn('analyst')
    await openListing('lost')
    await page.route('**/verdict', async (route) => {
      await route.fetch()
      await route.abort()
    })
    const reject = page.getByRole('button', { name: 'Reject: it does not' })
    await reject.click()
    await told('nobody knows whether that was recorded')
    await page.unroute('**/verdict')
    await reject.click()
    await told('It was recorded already. The listing is on sale now.')
    expect((await look(decision.caseId, 'analyst')).body.verdicts).toHaveLength(1)
  })

  it('a rights holder has its own cases and pictures alone, and may judge them', async () => {
    const own = await held('own', { title: 'Omega Seamaster 1:1 super clone, best replica', brand: 'Omega' })
    await held('of-another')
    await signIn('omega')
    await page.waitForSelector('#case-rows .row')
    expect(await page.locator('#case-rows .open').allTextContents()).toEqual([
      'Omega Seamaster 1:1 super clone, best replica',
    ])
    expect(await page.locator('#rows .row').count()).toBe(0)
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#details .word')
    expect(asked.filter((url) => url.includes('/v1/decisions'))).toEqual([])
    await page.getByRole('button', { name: 'Confirm: it infringes' }).click()
    await told('Confirmed. The listing is blocked now.')
    expect((await look(own.caseId, 'analyst')).body.verdicts).toMatchObject([{ brandId: 'omega' }])
    await page.keyboard.press('Escape')
    await page.waitForSelector('#cases-note:has-text("Nothing waits for you.")')
  })

  it('does not show a rights holder what it matches in a bank that is not its own, nor whose that is', async () => {
    const [theirs, ours] = [await drawnPicture(1), await drawnPicture(2)]
    const first = await held('of-all', { images: [{ data: ours.toString('base64') }] })
    await say(first.caseId, 'analyst', { verdict: 'confirmed' })
    const title = 'Omega Seamaster 1:1 super clone, best replica'
    const offer = async (listingId: string, picture: Buffer) => {
      const images = [{ data: (await disguised(picture)).toString('base64') }]
      return await submitted(listingId, { title, brand: 'Omega', images })
    }
    await expect.poll(async () => (await offer(randomUUID(), ours)).text, { timeout: 10_000 }).toContain('"matches"')
    await offer('of-rolex', theirs)
    await offer('of-everyone', ours)
    await signIn('omega')
    const see = async (listingId: string) => {
      await page.locator(`#case-rows .row:has-text("${listingId}") .open`).click()
      await page.waitForSelector('#details .pictures')
    }
    await see('of-rolex')
    await page.waitForSelector('#details .pictures:has-text("not yours to see")')
    // Its own case's picture, and nothing beside it.
    await expect.poll(() => loaded('#details .pictures')).toEqual([true])
    expect(await page.textContent('#details')).not.toMatch(/confirmed by|confirmed-rolex|"(case|verdict)Id"/)
    await page.keyboard.press('Escape')
    await see('of-everyone')
    await page.waitForSelector('#details .match:has-text("The bank is somebody else’s")')
    await expect.poll(() => loaded('#details .pictures')).toEqual([true])
    expect(await page.textContent('#details')).not.toMatch(/confirmed by|"(case|verdict)Id"/)
    expect(asked.filter((url) => /\/v1\/(banks|brands)\//.test(url))).toEqual([])
  })

  it('shows a picture to nobody else who signs in with the same browser', async () => {
    await held('private', { images: [{ data: (await drawnPicture(9)).toString('base64') }] })
    await signIn('analyst')
    await openListing('private')
    await expect.poll(() => loaded('#details .thumbs')).toEqual([true])
    const picture = asked.find((url) => url.includes('/v1/pictures/'))
    const fetched = () => page.evaluate<number>(`fetch(${JSON.stringify(picture)}).then((r) => r.status)`)
    expect(await fetched()).toBe(200)
    await page.keyboard.press('Escape')
    await page.click('#sign-out')
    await page.waitForSelector('#signed-out:not([hidden])')
    expect(await page.locator('img').count()).toBe(0)
    expect(await fetched()).toBe(401)
    await signIn('omega')
    expect(await fetched()).toBe(404)
  })

  it('asks for no picture and no case where the role has none', async () => {
    await signIn('ingest')
    await page.waitForSelector('.row')
    await page.fill('#search', 'shown-twice')
    await page.locator('.row:visible .open').first().click()
    await page.waitForSelector('#details .match')
    expect(await page.textContent('#details')).toContain('Cases are for analysts, administrators and rights holders')
    expect(await page.locator('#details img, #details .word').count()).toBe(0)
    expect(asked.filter((url) => /\/v1\/(pictures|cases|banks|brands)/.test(url))).toEqual([])
  })

  it.each(['light', 'dark'] as const)('has enough contrast in %s, and no scrolling sideways', async (colorScheme) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await signIn('analyst')
    await openListing('shown-twice')
    await expect.poll(() => loaded('#details .pair')).toEqual([true, true])
    expect(await weakContrasts(page)).toEqual([])
    await page.setViewportSize({ width: 360, height: 740 })
    const wider = () =>
      page.evaluate(
        'document.documentElement.scrollWidth > innerWidth || document.querySelector("#details").scrollWidth > innerWidth',
      )
    expect(await wider()).toBe(false)
    await page.keyboard.press('Escape')
    await page.click('#to-cases')
    await page.waitForSelector('#case-rows .row')
    expect(await weakContrasts(page)).toEqual([])
    expect(await wider()).toBe(false)
  })
})
