// What a reviewer reads of pictures that nobody can look at, in a real Chromium. Real: PostgreSQL, the whole gate, sharp, the
// HTTP server on loopback. Made up: the goods, the pictures, the policy. Nothing is sent to any address but loopback.
import { randomUUID } from 'node:crypto'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { drawnPicture } from '../support/drawn-pictures.ts'
import { address, held, keys, look, say, submitted } from '../flow/reviewing.ts'
import { hasChromium, openCaseOf, signInAt } from './chromium.ts'
import { weakContrasts } from './contrast.ts'
import { onPages } from './reviewing-page.ts'

const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"/>').toString('base64')

describe.runIf(hasChromium)('pictures that nobody can look at', () => {
  let page: Page

  onPages((opened) => ({ page } = opened))

  const drawn = async (seed: number) => ({ data: (await drawnPicture(seed)).toString('base64') })
  /** Five, of which the second is not one and the fifth stays where it is. */
  const five = async (seed: number) => [
    await drawn(seed),
    { data: SVG },
    await drawn(seed + 1),
    await drawn(seed + 2),
    { url: 'http://127.0.0.1:9/seller.jpg' },
  ]
  const textOf = async (selector: string) => (await page.textContent(selector)) ?? ''
  const rejects = () => page.getByRole('button', { name: 'Reject: it does not' })

  it('says before the verdict which of the listed are not there and why, with nothing to compare with and with banks alike', async () => {
    const without = await held('no-bank', { images: await five(800) })
    expect(without.signals.find(({ name }) => name === 'image-hash')?.evidence).toMatchObject({ why: 'no-banks' })
    await signInAt(page, address(), keys.analyst)
    for (const listingId of ['no-bank', 'with-bank']) {
      if (listingId === 'with-bank') {
        await say(without.caseId, 'analyst', { verdict: 'confirmed', pictures: [0] })
        const again = async () => (await submitted(randomUUID(), { images: [await drawn(800)] })).text
        await expect.poll(again, { timeout: 10_000 }).toContain('"matches"')
        await held('with-bank', { images: await five(810) })
      }
      await openCaseOf(page, listingId)
      await page.waitForSelector('#details .pictures .missing')
      const pictures = await textOf('#details .pictures')
      expect(pictures).toContain('3 of the listing’s 5 pictures can be looked at here.')
      expect(pictures).toMatch(/Picture 2 was not seen: not a picture .*Picture 5 was not seen: address refused/)
      expect(pictures).not.toContain('not kept')
      const words =
        'Nobody can see 2 of the listing’s 5 pictures (2 and 5): rejected, the listing may go on sale with them all the same; confirmed, they join no bank.'
      // Also read out with the button.
      const described = await rejects().evaluate((button) => {
        const one = button as unknown as { ariaDescribedByElements: { textContent: string }[] }
        return one.ariaDescribedByElements.map(({ textContent }) => textContent)
      })
      expect(described).toEqual([words])
      expect(await textOf('#details .word legend')).toContain('none ticked: all of these but official ones')
      expect(await weakContrasts(page)).toEqual([])
      await page.keyboard.press('Escape')
    }
  })

  it('names those that were seen by us alone and are not kept, and says nothing where all are there', async () => {
    const decision = await held('all-there', { images: [await drawn(820), await drawn(821), await drawn(822)] })
    await signInAt(page, address(), keys.analyst)
    await openCaseOf(page, 'all-there')
    await page.waitForSelector('#details .thumbs figure >> nth=2')
    expect(await page.locator('#details .missing, #verdict-unseen').count()).toBe(0)
    await page.keyboard.press('Escape')
    const { body } = await look(decision.caseId, 'analyst')
    // As where encoding them took too long.
    const some = { ...body, pictures: [{ revision: 1, ordinal: 1, sha256: '0'.repeat(64), href: '' }] }
    await page.route('**/v1/cases/*', (route) => route.fulfill({ json: some }))
    await openCaseOf(page, 'all-there')
    await page.waitForSelector('#details .pictures:has-text("1 of the listing’s 3 pictures can be looked at here.")')
    expect(await textOf('#details .pictures')).toContain('Pictures 1 and 3 are not kept.')
    expect(await textOf('#verdict-unseen')).toContain('Nobody can see 2 of the listing’s 3 pictures (1 and 3)')
  })
})
