// What kind of thing titles and categories name, in several languages. Real: the function and the word lists that ship.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { goodsKind } from '../../../src/listing/goods-kind.ts'

const kindOf = (title: string, ...category: string[]) => goodsKind({ title, category })

describe('parts, packaging and accessories are not the thing itself', () => {
  it.each([
    'Leather watch strap 20 mm',
    'Rubber strap for Rolex watch',
    'Empty watch box with certificate holder',
    'Shoe box only, no shoes',
    'Chanel dust bag',
    'iPhone 15 case',
    'Protective case for AirPods',
    'Correa de reloj de cuero',
    'Uhrenarmband aus Leder',
    'Ремешок для часов',
    '手表表带',
    'Replacement ear pads for headphones',
    'Key ring with bag charm',
    'Nike crew socks 6 pairs',
  ])('%s', (title) => expect(kindOf(title)).toBe('other'))

  it('overrules the category, because straps are listed among watches', () => {
    expect(kindOf('Nylon strap 22 mm', 'Watches')).toBe('other')
  })
})

describe('the thing that is sold', () => {
  it.each([
    ['Running shoes with box', 'shoes'],
    ['Steel watch full set box and papers', 'watch'],
    ['Shoulder bag, dust bag included', 'bag'],
    ['Leather wallet on chain', 'small-leather'],
    ['Card holders', 'small-leather'],
    ['Belt bag', 'bag'],
    ['Silk scarf 90 x 90', 'scarf'],
    ['Puffer jacket', 'outerwear'],
    ['Hooded sweatshirt', 'clothing'],
    ['Football shirt home 2024', 'clothing'],
    ['Eau de Parfum 100 ml', 'perfume'],
    ['Bolso de mano', 'bag'],
    ['Sac à main en cuir', 'bag'],
    ['Herren Armbanduhr', 'watch'],
    ['Кроссовки мужские', 'shoes'],
    ['男士真皮钱包', 'small-leather'],
    ['メンズ 腕時計', 'watch'],
    ['여성 운동화', 'shoes'],
    ['Submariner 41 mm', 'watch'],
    ['Air Jordan 4 Bred', 'shoes'],
    ['Wireless earbuds', 'headphones'],
    ['Card holders, scarves and more', 'small-leather'],
    ['Two scarves', 'scarf'],
  ])('%s is %s', (title, kind) => expect(kindOf(title)).toBe(kind))

  it('takes the narrowest category that names a kind', () => {
    expect(kindOf('Model 1234', 'Clothing and accessories', 'Shoes', 'Sneakers')).toBe('shoes')
    expect(kindOf('Model 1234', 'Sale', 'Handbags', 'New arrivals')).toBe('bag')
  })

  it('says nothing where nothing is named', () => {
    expect(kindOf('Lovely thing in blue')).toBeUndefined()
    expect(kindOf('🔥🔥🔥', '???')).toBeUndefined()
  })
})

it('never throws, whatever the text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (title) => void kindOf(title, title)))
})
