// Types of the few files of `natural` that are used, by deep path: its root opens databases and reads `.env`.
declare module 'natural/lib/natural/stemmers/porter_stemmer.js' {
  const stemmer: { stem(word: string): string }
  export default stemmer
}
declare module 'natural/lib/natural/stemmers/porter_stemmer_ru.js' {
  const stemmer: { stem(word: string): string }
  export default stemmer
}
declare module 'natural/lib/natural/tokenizers/regexp_tokenizer.js' {
  export class RegexpTokenizer {
    constructor(options: { readonly pattern: RegExp; readonly gaps: boolean })
    /** With `gaps: false` the matches of a global pattern, null where there are none. */
    tokenize(text: string): string[] | null
  }
}
