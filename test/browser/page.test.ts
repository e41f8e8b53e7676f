// The page in a real Chromium against the real HTTP server; what is behind the server is in memory.
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSecret } from '../../src/api/secrets.ts'
import type { Api } from '../../src/api/services.ts'
import { memoryApi, type MemoryWorld } from '../unit/api/memory-ports.ts'
import { publishOne, publishSamples } from './sample-decisions.ts'
import { hasChromium, oneBrowser, type WatchedPage } from './chromium.ts'
import { weakContrasts } from './contrast.ts'

describe.runIf(hasChromium)('the page', () => {
  const open = oneBrowser()
  let api: Api
  let world: MemoryWorld
  let page: Page
  let origin: string
  let watched: WatchedPage

  beforeEach(async () => {
    ;({ api, world } = await memoryApi())
    await api.listen({ port: 0, host: '127.0.0.1' })
    origin = `http://127.0.0.1:${(api.server.address() as AddressInfo).port}`
    watched = await open()
    ;({ page } = watched)
  })
  afterEach(async () => {
    try {
      await watched.close()
    } finally {
      await api.close()
    }
  })

  const signIn = async () => {
    const { secret, hash } = createSecret()
    await world.sessionStore.create(hash, { subject: 'administrator', role: 'admin', brandIds: [] }, 60, true)
    await page.goto(`${origin}/sign-in?token=${secret}`)
    await page.waitForSelector('#status[data-state=live]')
  }
  const publish = (act: () => unknown) => {
    act()
    world.nudge()
  }

  it('signs in by the one-time link and shows decisions as they come, newest on top', async () => {
    await signIn()
    expect(page.url()).toBe(`${origin}/`)
    expect(await page.textContent('#empty')).toContain('No decisions yet')
    publish(() => publishSamples(world))
    await page.waitForSelector('.row')
    expect(await page.locator('.row').count()).toBe(8)
    publish(() => publishOne(world, 'later'))
    await page.waitForSelector('.row:has-text("Arrived later")')
    expect(await page.locator('.row').first().textContent()).toContain('Arrived later')
    const counts = await page.locator('[data-count]').allTextContents()
    expect(counts).toEqual(['9', '4', '3', '1', '1'])
  })

  it('signs in with a key, says what is wrong with a bad one, and signs out', async () => {
    const { key } = await world.key('analyst')
    await page.goto(origin)
    await page.fill('#key', 'tsk_nonsense')
    await page.press('#key', 'Enter')
    await page.waitForSelector('#key-error:has-text("unknown or revoked")')
    await page.fill('#key', key)
    await page.press('#key', 'Enter')
    await page.waitForSelector('#status[data-state=live]')
    await page.click('#sign-out')
    await page.waitForSelector('#signed-out:not([hidden])')
    await page.reload()
    await page.waitForSelector('#status[data-state="signed-out"]')
  })

  it('shows what strangers write as text, never as markup', async () => {
    publishSamples(world)
    await signIn()
    await page.waitForSelector('.row')
    for (const row of ['Case <img', 'D-refused']) {
      await page.click(`.row:has-text("${row}") .open`)
      await page.waitForSelector('#details[open]')
      await page.waitForSelector('#details:has-text("<script>window.pwned=1</script>")')
      await page.keyboard.press('Escape')
    }
    expect(await page.locator('#decisions img, #decisions script, #details img, #details script').count()).toBe(0)
    expect(await page.evaluate('window.pwned')).toBeUndefined()
    // The override that would turn the line around is shown as a box.
    expect(await page.textContent('.row:has-text("D-5") .open')).toContain('\u25a1')
  })

  it('opens details by keyboard, marks the evidence in the text, and gives the focus back', async () => {
    publishSamples(world)
    await signIn()
    await page.waitForSelector('.row')
    await page.keyboard.press('/')
    await page.keyboard.type('valora')
    await page.keyboard.press('Escape')
    expect(await page.locator('.row:visible').count()).toBe(1)
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#details mark')
    expect(await page.locator('#details mark bdi').allTextContents()).toEqual([
      'Valora Milano',
      'mirror quality',
      '1:1',
      'AAA+ grade',
      'same factory',
    ])
    expect(await page.locator('#details .shares .number').allTextContents()).toEqual([
      '−3.50',
      '+6.10',
      '+0.60',
      '+1.80',
    ])
    await page.waitForSelector('#details dd:has-text("fusion v2, by its part 2; text 1")')
    await page.keyboard.press('Escape')
    await page.waitForSelector('#details', { state: 'hidden' })
    expect(await page.evaluate('document.activeElement.className')).toBe('open')
  })

  it('filters by outcome, moves with j and k, pauses and goes on', async () => {
    publishSamples(world)
    await signIn()
    await page.waitForSelector('.row')
    await page.click('[data-filter=hold]')
    expect(await page.locator('.row:visible .badge').allTextContents()).toEqual(['Held', 'Held'])
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('k')
    const onFirst =
      'document.activeElement.closest("tr") === [...document.querySelectorAll(".row")].find((r) => !r.hidden)'
    expect(await page.evaluate(onFirst)).toBe(true)
    await page.keyboard.press('p')
    publish(() => publishOne(world, 'while paused'))
    await page.waitForSelector('#status-text:has-text("1 waiting")')
    expect(await page.locator('.row:visible').count()).toBe(2)
    await page.keyboard.press('p')
    await page.waitForSelector('.row:has-text("while paused")')
  })

  it('opens a row by a click anywhere in it, but not while somebody selects its text', async () => {
    publishSamples(world)
    await signIn()
    await page.waitForSelector('.row')
    // At once: a list that goes on loading lets no selection stand for long.
    await page.evaluate(`{
      const row = [...document.querySelectorAll('.row')].find((one) => one.textContent.includes('Valora'))
      getSelection().selectAllChildren(row.querySelector('.c-reason bdi'))
      row.querySelector('.c-outcome').click()
    }`)
    expect(await page.locator('#details').isVisible()).toBe(false)
    await page.evaluate('getSelection().removeAllRanges()')
    await page.locator('.row:has-text("Valora") .c-reason bdi').click()
    await page.waitForSelector('#details:has-text("Valora")')
    await page.keyboard.press('Escape')
    await page.waitForSelector('#details', { state: 'hidden' })
    expect(await page.evaluate('document.activeElement.closest("tr").textContent')).toContain('Valora')
  })

  it('says when the connection is lost, and goes on where it was when it is back', async () => {
    publishSamples(world)
    await signIn()
    await page.waitForSelector('.row')
    await page.route('**/v1/decisions**', (route) => route.abort())
    publish(() => publishOne(world, 'first'))
    await page.waitForSelector('#lost:not([hidden])')
    publish(() => publishOne(world, 'second'))
    await page.unroute('**/v1/decisions**')
    await page.waitForSelector('.row:has-text("second")')
    expect(await page.locator('.row').count()).toBe(10)
    expect(await page.locator('#lost').isHidden()).toBe(true)
  })

  it.each(['light', 'dark'] as const)(
    'has enough contrast everywhere in %s, and no scrolling sideways at 360 px',
    async (colorScheme) => {
      publishSamples(world)
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await signIn()
      await page.waitForSelector('.row')
      expect(await weakContrasts(page)).toEqual([])
      await page.click('.row:has-text("Valora") .open')
      await page.waitForSelector('#details mark')
      expect(await weakContrasts(page)).toEqual([])
      await page.setViewportSize({ width: 360, height: 740 })
      const wider = () =>
        page.evaluate(
          'document.documentElement.scrollWidth > innerWidth || document.querySelector("#details").scrollWidth > innerWidth',
        )
      expect(await wider()).toBe(false)
      await page.keyboard.press('Escape')
      expect(await wider()).toBe(false)
      await page.click('#sign-out')
      await page.waitForSelector('#signed-out:not([hidden])')
      expect(await weakContrasts(page)).toEqual([])
    },
  )
})
