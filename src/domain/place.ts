// Where models learn and decide: a marketplace, or null for all listings that name none.
import { z } from 'zod'

/**
 * A listing may name its marketplace by nothing (`''`): for what is learnt that is as if it named none, and cards of text
 * models, whose marketplaces are plain texts, write none like that. Whose a listing is, is another matter: no key is bound to ''.
 */
export const placeOf = (marketplace: string | null | undefined): string | null =>
  marketplace === undefined || marketplace === '' ? null : marketplace

/** In cards and versions: those made before this was one place may have both. */
export const placeSchema = z.string().nullable().transform(placeOf)
