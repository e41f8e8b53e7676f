// What one tenant can do to others through pictures: rights holders with their banks, sellers with what they put beside a
// fake. Real: PostgreSQL, the whole gate with its threads, the HTTP server, sharp; made up: the pictures and the people.
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { disguised, drawnPicture, texture, TEXTURE_SIDE } from '../support/drawn-pictures.ts'
import { call, closeReviewing, held, look, openReviewing, raw, say, submitted } from './reviewing.ts'
import { becomes, honest, inline, matchesOf, upload } from './tenants.ts'

beforeAll(openReviewing)
afterAll(closeReviewing)

const BOTH = 'Rolex and Omega Speedmaster 1:1 super clone, best replica'

describe('a rights holder', () => {
  it('does not free what analysts confirmed against another brand by calling it its own photo', async () => {
    const fake = await drawnPicture(4)
    const decision = await held('omega-fake', { title: 'Omega Speedmaster 1:1 super clone', images: [inline(fake)] })
    expect(decision.brandIds).toEqual(['omega'])
    expect((await say(decision.caseId, 'analyst', { verdict: 'confirmed' })).body.status).toBe('recorded')
    const again = await disguised(fake)
    await becomes('hold', again, 'Omega Speedmaster')
    await upload('rolex', { bankId: 'white', kind: 'genuine' }, fake)
    // It is known by now, and what it matches is told.
    for (;;) {
      const decision = await honest(again, 'Omega Speedmaster')
      expect(decision.outcome).toBe('hold')
      if (matchesOf(decision).some(({ kind }) => kind === 'genuine')) break
    }
  })

  it('stops no stranger with a picture that it alone calls counterfeit, until an analyst vouches for it', async () => {
    const placeholder = await drawnPicture(50)
    const imageId = await upload('rolex', { bankId: 'rolex-fakes', kind: 'counterfeit' }, placeholder)
    // Of its own brand it knows best.
    await becomes('hold', placeholder, 'Rolex Submariner')
    const chair = await honest(placeholder)
    expect(chair.outcome).toBe('allow')
    expect(matchesOf(chair)).toMatchObject([{ kind: 'counterfeit', brandId: 'rolex' }])
    expect(chair.reasons).toEqual([])
    const vouched = await raw(`/v1/banks/rolex-fakes/images/${imageId}/vouch`, 'analyst', { method: 'POST' })
    expect(vouched.status).toBe(204)
    await becomes('hold', placeholder)
  })

  it('puts no photo of another brand for which an analyst vouches into its bank of fakes by confirming a case about both', async () => {
    const photo = await drawnPicture(70)
    const imageId = await upload('omega', { bankId: 'omega-photos', kind: 'genuine' }, photo)
    const vouched = await raw(`/v1/banks/omega-photos/images/${imageId}/vouch`, 'analyst', { method: 'POST' })
    expect(vouched.status).toBe(204)
    const decision = await held('both', { title: BOTH, images: [inline(await disguised(photo))] })
    expect(decision.brandIds.toSorted()).toEqual(['omega', 'rolex'])
    const said = await say(decision.caseId, 'rolex', { verdict: 'confirmed' })
    expect(said.body).toMatchObject({ status: 'recorded', pictures: { joined: 0, leftOut: { official: 1 } } })
  })
})

describe('a rights holder who confirms a case', () => {
  it('stops those who show its pictures on sale too only where its brand is named, until an analyst vouches', async () => {
    const [theirs, fake] = [await drawnPicture(20), await drawnPicture(21)]
    expect((await honest(theirs, 'A steel watch')).outcome).toBe('allow')
    const decision = await held('of-rolex', { images: [inline(theirs), inline(fake)] })
    const said = await say(decision.caseId, 'rolex', { verdict: 'confirmed', pictures: [0, 1] })
    expect(said.body).toMatchObject({ pictures: { joined: 2, limited: 1, leftOut: { elsewhere: 0 } } })
    // Of what nobody else shows its word is enough.
    await becomes('hold', fake)
    const again = await disguised(theirs)
    await becomes('hold', again, 'Rolex Submariner')
    const chair = await honest(again)
    expect([chair.outcome, chair.reasons]).toEqual(['allow', []])
    expect(matchesOf(chair)).toMatchObject([{ kind: 'counterfeit', brandId: 'rolex' }])

    const listed = await call<{ items: { imageId: string; source: { by?: string } }[] }>(
      'GET',
      '/v1/banks/confirmed-rolex/images',
      'analyst',
    )
    const [alone] = listed.body.items.filter(({ source }) => source.by === 'brand')
    const path = `/v1/banks/confirmed-rolex/images/${alone?.imageId}/vouch`
    expect((await raw(path, 'rolex', { method: 'POST' })).status).toBe(403)
    expect((await raw(path, 'analyst', { method: 'POST' })).status).toBe(204)
    await becomes('hold', again)
  })
})

describe('what another seller shows on sale halved and brightened', () => {
  const edited = async (picture: Buffer) =>
    sharp(await sharp(picture).linear(1.15, 0).png().toBuffer())
      .resize(TEXTURE_SIDE / 2)
      .webp({ quality: 80 })
      .toBuffer()

  it('is protected when the whole picture is confirmed, as far as that would stop it', async () => {
    const whole = await texture(3).png().toBuffer()
    const theirs = await edited(whole)
    expect((await honest(theirs, 'A steel watch')).outcome).toBe('allow')
    const of = await held('whole', { images: [inline(whole)] })
    const said = await say(of.caseId, 'rolex', { verdict: 'confirmed' })
    expect(said.body).toMatchObject({ pictures: { joined: 1, limited: 1 } })
    await becomes('hold', whole, 'Rolex Submariner')
    const again = await honest(theirs)
    expect([again.outcome, matchesOf(again)[0]?.['form']]).toEqual(['allow', 'half-brightened'])
  })

  it('does not join beside a fake', async () => {
    const [whole, fake] = [await texture(6).png().toBuffer(), await drawnPicture(31)]
    const mirrored = await sharp(await edited(whole))
      .flop()
      .png()
      .toBuffer()
    expect((await honest(mirrored, 'A steel watch')).outcome).toBe('allow')
    const of = await held('beside whole', { images: [inline(whole), inline(fake)] })
    const said = await say(of.caseId, 'analyst', { verdict: 'confirmed' })
    expect(said.body).toMatchObject({ pictures: { joined: 1, leftOut: { elsewhere: 1 } } })
    await becomes('hold', fake)
    expect((await honest(mirrored)).outcome).toBe('allow')
  })
})

describe('a ring that shows its fake on sale under one account, beside another under the next', () => {
  interface Told {
    verdictIds: string[]
    pictures: { which: { sha256: string }[]; leftOutWhich: { ordinal: number; sha256: string; listings?: string[] }[] }
  }

  it('is told to the analyst by picture and listing; the picture joins by one word that names it beside what had joined', async () => {
    const [first, second] = [await drawnPicture(40), await drawnPicture(41)]
    const accomplice = await honest(first, 'A steel watch')
    expect(accomplice.outcome).toBe('allow')
    const { caseId } = await held('of the ring', { images: [inline(await disguised(first)), inline(second)] })
    const said = await say(caseId, 'analyst', { verdict: 'confirmed', verdictId: 'V-ring' })
    const { pictures } = said.body as unknown as Told
    expect(pictures.leftOutWhich).toEqual([
      { revision: 1, ordinal: 0, sha256: expect.any(String), why: 'elsewhere', listings: [accomplice.listingId] },
    ])
    await becomes('hold', second)
    expect((await honest(first)).outcome).toBe('allow')

    const named = [...pictures.which, ...pictures.leftOutWhich].map(({ sha256 }) => sha256)
    const again = await say(caseId, 'analyst', { verdict: 'confirmed', supersedes: 'V-ring', pictures: named })
    expect(again.body).toMatchObject({
      status: 'recorded',
      pictures: { joined: 2, limited: 0, leftOutWhich: [] },
      stands: { state: 'resolved', outcome: 'block' },
    })
    await becomes('hold', first)
    await becomes('hold', second)
  })

  it('is told to a rights holder by picture alone', async () => {
    const [first, second] = [await drawnPicture(42), await drawnPicture(43)]
    expect((await honest(first, 'A steel watch')).outcome).toBe('allow')
    const { caseId } = await held('of another ring', { images: [inline(second), inline(await disguised(first))] })
    const said = await say(caseId, 'rolex', { verdict: 'confirmed' })
    expect((said.body as unknown as Told).pictures.leftOutWhich).toEqual([
      { revision: 1, ordinal: 1, sha256: expect.any(String), why: 'elsewhere' },
    ])
  })
})

describe('another marketplace', () => {
  it('says by no record that is refused what a stranger’s listing shows: neither more nor less', async () => {
    const [theirs, fake] = [await drawnPicture(22), await drawnPicture(23)]
    const { listingId, outcome } = await honest(theirs, 'A steel watch')
    expect(outcome).toBe('allow')
    const sent = [
      { revision: 99, images: [inline(theirs)] },
      { revision: 1, images: [inline(fake)] },
      { revision: 1, images: [inline(theirs), inline(fake)] },
    ]
    for (const more of sent) {
      const { body } = await submitted(listingId, { sellerId: 'stranger', ...more }, 'other')
      expect(body).toMatchObject({ code: 'marketplace-mismatch' })
    }
    const decision = await held('between', { images: [inline(theirs), inline(fake)] })
    const said = await say(decision.caseId, 'analyst', { verdict: 'confirmed' })
    expect(said.body).toMatchObject({ pictures: { joined: 1, limited: 0, leftOut: { elsewhere: 1 } } })
    await becomes('hold', fake)
    expect((await honest(theirs)).outcome).toBe('allow')
  })
})

describe('a seller', () => {
  it('gets no rival stopped with pictures of his that are put beside a fake; the reviewer may name what it is about', async () => {
    const [harmless, fake] = [await drawnPicture(105), await drawnPicture(130)]
    expect((await honest(harmless, 'A steel watch')).outcome).toBe('allow')
    const show = (id: string) => held(id, { images: [inline(harmless), inline(fake)] })
    const said = await say((await show('beside')).caseId, 'analyst', { verdict: 'confirmed' })
    expect(said.body).toMatchObject({ pictures: { joined: 1, leftOut: { elsewhere: 1 } } })
    await becomes('hold', fake)
    expect((await honest(await disguised(harmless))).outcome).toBe('allow')

    const { caseId } = await show('named')
    const shown = (await look(caseId, 'analyst')).body as unknown as {
      pictures: { ordinal: number; sha256: string }[]
      pictureCount: object
    }
    expect(shown.pictureCount).toEqual({ listed: 2, kept: 2 })
    for (const pictures of [[2], ['0'.repeat(64)], [0, 7]])
      expect((await say(caseId, 'analyst', { verdict: 'confirmed', pictures })).body).toMatchObject({
        code: 'invalid',
        path: '/pictures',
      })
    expect((await say(caseId, 'analyst', { verdict: 'rejected', pictures: [0] })).status).toBe(422)
    const verdict = { verdictId: 'V-named', verdict: 'confirmed', pictures: [0, shown.pictures[0]?.sha256] }
    const named = await say(caseId, 'analyst', verdict)
    expect(named.body).toMatchObject({ status: 'recorded', pictures: { joined: 1, leftOut: { unnamed: 1 } } })
    const again = { decisionId: named.body.decision?.decisionId, ...verdict }
    expect((await call('POST', `/v1/cases/${caseId}/verdict`, 'analyst', again)).status).not.toBe(500)
    await becomes('hold', harmless)
  })

  it('hides no frame behind one that stands for longer: each joins, and what others show does not', async () => {
    const [fake, victim] = [await drawnPicture(80), await drawnPicture(81)]
    expect((await honest(victim)).outcome).toBe('allow')
    const size = { width: 400, height: 300, fit: 'fill' } as const
    const pixels = (picture: Buffer) => sharp(picture).resize(size).removeAlpha().raw().toBuffer()
    const [long, short] = [await pixels(victim), await pixels(fake)]
    const raw = { width: 400, height: 900, channels: 3, pageHeight: 300 } as const
    const gif = await sharp(Buffer.concat([long, short, long]), { raw })
      .gif({ delay: [60_000, 20, 20], loop: 0 })
      .toBuffer()
    const decision = await held('animated', { images: [inline(gif)] })
    const said = await say(decision.caseId, 'analyst', { verdict: 'confirmed' })
    expect(said.body).toMatchObject({ pictures: { joined: 1 } })
    await becomes('hold', fake)
    expect((await honest(victim)).outcome).toBe('allow')
  })
})
