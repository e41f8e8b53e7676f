// The give-away phrases as data, compiled once into one automaton with what excuses or denies them.
import { z } from 'zod'
import { buildAutomaton, type Automaton } from '../../text/automaton.ts'
import { normalise } from '../../text/normalise.ts'
import shipped from './phrases.json' with { type: 'json' }

const words = z.array(z.string().min(1)).min(1)

const fileSchema = z.object({
  about: z.string(),
  sources: z.record(z.string(), z.string()),
  phrases: z.array(
    z.object({
      forms: words,
      language: z.string(),
      grade: z.enum(['overt', 'strong', 'hint']),
      sense: z.string(),
      near: z.boolean().default(false),
      source: z.string(),
    }),
  ),
  excuses: z.array(z.object({ senses: words, words, why: z.string(), brandIds: z.array(z.string()).default([]) })),
  denials: z.object({ before: words, after: words }),
})

export type Phrase = z.infer<typeof fileSchema>['phrases'][number]
export type Excuse = z.infer<typeof fileSchema>['excuses'][number]
export type Grade = Phrase['grade']

/** What one pattern of the automaton stands for. */
export type Role =
  | { readonly kind: 'phrase'; readonly phrase: Phrase }
  | { readonly kind: 'excuse'; readonly excuse: Excuse }
  | { readonly kind: 'denial'; readonly side: 'before' | 'after' }

export interface Lexicon {
  readonly phrases: readonly Phrase[]
  readonly sources: Readonly<Record<string, string>>
  /** Excuses that a brand brings along, whatever else is written. */
  readonly brandExcuses: readonly Excuse[]
  readonly automaton: Automaton
  readonly roles: readonly Role[]
}

function compile(): Lexicon {
  const file = fileSchema.parse(shipped)
  const roles: Role[] = []
  const patterns: string[] = []
  const add = (text: string, role: Role) => {
    patterns.push(normalise(text).text)
    roles.push(role)
  }
  for (const phrase of file.phrases) {
    if (file.sources[phrase.source] === undefined) throw new Error(`phrases.json: no source ${phrase.source}`)
    for (const form of phrase.forms) add(form, { kind: 'phrase', phrase })
  }
  for (const excuse of file.excuses) for (const word of excuse.words) add(word, { kind: 'excuse', excuse })
  for (const side of ['before', 'after'] as const) {
    for (const word of file.denials[side]) add(word, { kind: 'denial', side })
  }
  return {
    phrases: file.phrases,
    sources: file.sources,
    brandExcuses: file.excuses.filter((excuse) => excuse.brandIds.length > 0),
    automaton: buildAutomaton(patterns),
    roles,
  }
}

export const lexicon: Lexicon = compile()
