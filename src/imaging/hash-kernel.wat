;; Counts differing bits of hashes in memory: what hash-kernel.ts holds assembled, and its test assembles again.
;;
;; Memory: 0 the query, four words of 64 bits; hashes in blocks of 4096, each four planes of 32 KiB: its hashes' first words, then
;; their second, third and fourth ones. "compare" and "verify" write what they find to $out, as pairs of slot and distance
;; (32 bits each), and return how many.
;;
;; "two", "three" and "four" look at so many words of each hash in a block and list the slots that get past: never leaving
;; out one that differs in at most $limit bits there. Of two and three words the union of the differing bits is counted, and of
;; four the union of the first two and that of the last two: fewer than differ, never more, for half and less of the counting.
;; Sixteen at a time: $count is rounded up. A difference below zero shows in the sign of all sixteen together; one after the
;; other, because many results at once would not fit into the processor's registers.
(module
  (import "host" "memory" (memory 1))
  ;; Where a word of a slot's hash lies in the blocks.
  (func $place (param $slot i32) (param $blocks i32) (result i32)
    (i32.add (local.get $blocks) (i32.add
      (i32.shl (i32.shr_u (local.get $slot) (i32.const 12)) (i32.const 17))
      (i32.shl (i32.and (local.get $slot) (i32.const 4095)) (i32.const 3)))))

  (func (export "two") (param $at i32) (param $count i32) (param $slot i32) (param $limit i32) (param $list i32)
    (param $x i32) (param $y i32) (result i32)
    (local $a i32) (local $b i32) (local $qa v128) (local $qb v128) (local $t v128)
    (local $any i64) (local $beyond i64) (local $end i32) (local $to i32) (local $stop i32)
    (local.set $qa (v128.load64_splat (i32.shl (local.get $x) (i32.const 3))))
    (local.set $a (i32.add (local.get $at) (i32.shl (local.get $x) (i32.const 15))))
    (local.set $qb (v128.load64_splat (i32.shl (local.get $y) (i32.const 3))))
    (local.set $b (i32.add (local.get $at) (i32.shl (local.get $y) (i32.const 15))))
    (local.set $beyond (i64.extend_i32_u (i32.add (local.get $limit) (i32.const 1))))
    (local.set $end (i32.add (local.get $a) (i32.shl (local.get $count) (i32.const 3))))
    (local.set $to (local.get $list))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $a) (local.get $end)))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=0 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=0 (local.get $b)))))
        (local.set $any (i64.or (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond)) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=16 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=16 (local.get $b)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond))) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=32 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=32 (local.get $b)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond))) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=48 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=48 (local.get $b)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond))) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=64 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=64 (local.get $b)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond))) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=80 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=80 (local.get $b)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond))) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=96 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=96 (local.get $b)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond))) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=112 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=112 (local.get $b)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond))) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (if (i64.lt_s (local.get $any) (i64.const 0))
          (then
            (local.set $stop (i32.add (local.get $a) (i32.const 128)))
            (loop $each
              (i32.store (local.get $to) (local.get $slot))
              (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u
                (i64.popcnt (i64.or (i64.xor (i64x2.extract_lane 0 (local.get $qa)) (i64.load (local.get $a))) (i64.xor (i64x2.extract_lane 0 (local.get $qb)) (i64.load (local.get $b)))))
                (local.get $beyond)) (i32.const 2))))
              (local.set $slot (i32.add (local.get $slot) (i32.const 1))) (local.set $a (i32.add (local.get $a) (i32.const 8))) (local.set $b (i32.add (local.get $b) (i32.const 8)))
              (br_if $each (i32.lt_u (local.get $a) (local.get $stop)))))
          (else
            (local.set $slot (i32.add (local.get $slot) (i32.const 16))) (local.set $a (i32.add (local.get $a) (i32.const 128))) (local.set $b (i32.add (local.get $b) (i32.const 128)))))
        (br $next)))
    (i32.shr_u (i32.sub (local.get $to) (local.get $list)) (i32.const 2)))

  (func (export "three") (param $at i32) (param $count i32) (param $slot i32) (param $limit i32) (param $list i32)
    (param $x i32) (param $y i32) (param $z i32) (result i32)
    (local $a i32) (local $b i32) (local $c i32) (local $qa v128) (local $qb v128) (local $qc v128) (local $t v128)
    (local $any i64) (local $beyond i64) (local $end i32) (local $to i32) (local $stop i32)
    (local.set $qa (v128.load64_splat (i32.shl (local.get $x) (i32.const 3))))
    (local.set $a (i32.add (local.get $at) (i32.shl (local.get $x) (i32.const 15))))
    (local.set $qb (v128.load64_splat (i32.shl (local.get $y) (i32.const 3))))
    (local.set $b (i32.add (local.get $at) (i32.shl (local.get $y) (i32.const 15))))
    (local.set $qc (v128.load64_splat (i32.shl (local.get $z) (i32.const 3))))
    (local.set $c (i32.add (local.get $at) (i32.shl (local.get $z) (i32.const 15))))
    (local.set $beyond (i64.extend_i32_u (i32.add (local.get $limit) (i32.const 1))))
    (local.set $end (i32.add (local.get $a) (i32.shl (local.get $count) (i32.const 3))))
    (local.set $to (local.get $list))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $a) (local.get $end)))
        (local.set $t (v128.or (v128.or (v128.xor (local.get $qa) (v128.load offset=0 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=0 (local.get $b)))) (v128.xor (local.get $qc) (v128.load offset=0 (local.get $c)))))
        (local.set $any (i64.or (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond)) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (local.set $t (v128.or (v128.or (v128.xor (local.get $qa) (v128.load offset=16 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=16 (local.get $b)))) (v128.xor (local.get $qc) (v128.load offset=16 (local.get $c)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond))) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (local.set $t (v128.or (v128.or (v128.xor (local.get $qa) (v128.load offset=32 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=32 (local.get $b)))) (v128.xor (local.get $qc) (v128.load offset=32 (local.get $c)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond))) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (local.set $t (v128.or (v128.or (v128.xor (local.get $qa) (v128.load offset=48 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=48 (local.get $b)))) (v128.xor (local.get $qc) (v128.load offset=48 (local.get $c)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond))) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (local.set $t (v128.or (v128.or (v128.xor (local.get $qa) (v128.load offset=64 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=64 (local.get $b)))) (v128.xor (local.get $qc) (v128.load offset=64 (local.get $c)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond))) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (local.set $t (v128.or (v128.or (v128.xor (local.get $qa) (v128.load offset=80 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=80 (local.get $b)))) (v128.xor (local.get $qc) (v128.load offset=80 (local.get $c)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond))) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (local.set $t (v128.or (v128.or (v128.xor (local.get $qa) (v128.load offset=96 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=96 (local.get $b)))) (v128.xor (local.get $qc) (v128.load offset=96 (local.get $c)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond))) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (local.set $t (v128.or (v128.or (v128.xor (local.get $qa) (v128.load offset=112 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=112 (local.get $b)))) (v128.xor (local.get $qc) (v128.load offset=112 (local.get $c)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (local.get $beyond))) (i64.sub (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (local.get $beyond))))
        (if (i64.lt_s (local.get $any) (i64.const 0))
          (then
            (local.set $stop (i32.add (local.get $a) (i32.const 128)))
            (loop $each
              (i32.store (local.get $to) (local.get $slot))
              (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u
                (i64.popcnt (i64.or (i64.or (i64.xor (i64x2.extract_lane 0 (local.get $qa)) (i64.load (local.get $a))) (i64.xor (i64x2.extract_lane 0 (local.get $qb)) (i64.load (local.get $b)))) (i64.xor (i64x2.extract_lane 0 (local.get $qc)) (i64.load (local.get $c)))))
                (local.get $beyond)) (i32.const 2))))
              (local.set $slot (i32.add (local.get $slot) (i32.const 1))) (local.set $a (i32.add (local.get $a) (i32.const 8))) (local.set $b (i32.add (local.get $b) (i32.const 8))) (local.set $c (i32.add (local.get $c) (i32.const 8)))
              (br_if $each (i32.lt_u (local.get $a) (local.get $stop)))))
          (else
            (local.set $slot (i32.add (local.get $slot) (i32.const 16))) (local.set $a (i32.add (local.get $a) (i32.const 128))) (local.set $b (i32.add (local.get $b) (i32.const 128))) (local.set $c (i32.add (local.get $c) (i32.const 128)))))
        (br $next)))
    (i32.shr_u (i32.sub (local.get $to) (local.get $list)) (i32.const 2)))

  (func (export "four") (param $at i32) (param $count i32) (param $slot i32) (param $limit i32) (param $list i32)
    (result i32)
    (local $a i32) (local $qa v128) (local $qb v128) (local $qc v128) (local $qd v128) (local $t v128) (local $s v128)
    (local $any i64) (local $beyond i64) (local $end i32) (local $to i32) (local $stop i32)
    (local.set $qa (v128.load64_splat (i32.const 0)))
    (local.set $a (local.get $at))
    (local.set $qb (v128.load64_splat (i32.const 8)))
    (local.set $qc (v128.load64_splat (i32.const 16)))
    (local.set $qd (v128.load64_splat (i32.const 24)))
    (local.set $beyond (i64.extend_i32_u (i32.add (local.get $limit) (i32.const 1))))
    (local.set $end (i32.add (local.get $a) (i32.shl (local.get $count) (i32.const 3))))
    (local.set $to (local.get $list))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $a) (local.get $end)))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=0 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=32768 (local.get $a)))))
        (local.set $s (v128.or (v128.xor (local.get $qc) (v128.load offset=65536 (local.get $a))) (v128.xor (local.get $qd) (v128.load offset=98304 (local.get $a)))))
        (local.set $any (i64.or (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (i64.popcnt (i64x2.extract_lane 0 (local.get $s)))) (local.get $beyond)) (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (i64.popcnt (i64x2.extract_lane 1 (local.get $s)))) (local.get $beyond))))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=16 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=32784 (local.get $a)))))
        (local.set $s (v128.or (v128.xor (local.get $qc) (v128.load offset=65552 (local.get $a))) (v128.xor (local.get $qd) (v128.load offset=98320 (local.get $a)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (i64.popcnt (i64x2.extract_lane 0 (local.get $s)))) (local.get $beyond))) (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (i64.popcnt (i64x2.extract_lane 1 (local.get $s)))) (local.get $beyond))))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=32 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=32800 (local.get $a)))))
        (local.set $s (v128.or (v128.xor (local.get $qc) (v128.load offset=65568 (local.get $a))) (v128.xor (local.get $qd) (v128.load offset=98336 (local.get $a)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (i64.popcnt (i64x2.extract_lane 0 (local.get $s)))) (local.get $beyond))) (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (i64.popcnt (i64x2.extract_lane 1 (local.get $s)))) (local.get $beyond))))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=48 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=32816 (local.get $a)))))
        (local.set $s (v128.or (v128.xor (local.get $qc) (v128.load offset=65584 (local.get $a))) (v128.xor (local.get $qd) (v128.load offset=98352 (local.get $a)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (i64.popcnt (i64x2.extract_lane 0 (local.get $s)))) (local.get $beyond))) (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (i64.popcnt (i64x2.extract_lane 1 (local.get $s)))) (local.get $beyond))))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=64 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=32832 (local.get $a)))))
        (local.set $s (v128.or (v128.xor (local.get $qc) (v128.load offset=65600 (local.get $a))) (v128.xor (local.get $qd) (v128.load offset=98368 (local.get $a)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (i64.popcnt (i64x2.extract_lane 0 (local.get $s)))) (local.get $beyond))) (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (i64.popcnt (i64x2.extract_lane 1 (local.get $s)))) (local.get $beyond))))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=80 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=32848 (local.get $a)))))
        (local.set $s (v128.or (v128.xor (local.get $qc) (v128.load offset=65616 (local.get $a))) (v128.xor (local.get $qd) (v128.load offset=98384 (local.get $a)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (i64.popcnt (i64x2.extract_lane 0 (local.get $s)))) (local.get $beyond))) (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (i64.popcnt (i64x2.extract_lane 1 (local.get $s)))) (local.get $beyond))))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=96 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=32864 (local.get $a)))))
        (local.set $s (v128.or (v128.xor (local.get $qc) (v128.load offset=65632 (local.get $a))) (v128.xor (local.get $qd) (v128.load offset=98400 (local.get $a)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (i64.popcnt (i64x2.extract_lane 0 (local.get $s)))) (local.get $beyond))) (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (i64.popcnt (i64x2.extract_lane 1 (local.get $s)))) (local.get $beyond))))
        (local.set $t (v128.or (v128.xor (local.get $qa) (v128.load offset=112 (local.get $a))) (v128.xor (local.get $qb) (v128.load offset=32880 (local.get $a)))))
        (local.set $s (v128.or (v128.xor (local.get $qc) (v128.load offset=65648 (local.get $a))) (v128.xor (local.get $qd) (v128.load offset=98416 (local.get $a)))))
        (local.set $any (i64.or (i64.or (local.get $any) (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 0 (local.get $t))) (i64.popcnt (i64x2.extract_lane 0 (local.get $s)))) (local.get $beyond))) (i64.sub (i64.add (i64.popcnt (i64x2.extract_lane 1 (local.get $t))) (i64.popcnt (i64x2.extract_lane 1 (local.get $s)))) (local.get $beyond))))
        (if (i64.lt_s (local.get $any) (i64.const 0))
          (then
            (local.set $stop (i32.add (local.get $a) (i32.const 128)))
            (loop $each
              (i32.store (local.get $to) (local.get $slot))
              (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u
                (i64.add (i64.popcnt (i64.or (i64.xor (i64x2.extract_lane 0 (local.get $qa)) (i64.load offset=0 (local.get $a))) (i64.xor (i64x2.extract_lane 0 (local.get $qb)) (i64.load offset=32768 (local.get $a))))) (i64.popcnt (i64.or (i64.xor (i64x2.extract_lane 0 (local.get $qc)) (i64.load offset=65536 (local.get $a))) (i64.xor (i64x2.extract_lane 0 (local.get $qd)) (i64.load offset=98304 (local.get $a))))))
                (local.get $beyond)) (i32.const 2))))
              (local.set $slot (i32.add (local.get $slot) (i32.const 1))) (local.set $a (i32.add (local.get $a) (i32.const 8)))
              (br_if $each (i32.lt_u (local.get $a) (local.get $stop)))))
          (else
            (local.set $slot (i32.add (local.get $slot) (i32.const 16))) (local.set $a (i32.add (local.get $a) (i32.const 128)))))
        (br $next)))
    (i32.shr_u (i32.sub (local.get $to) (local.get $list)) (i32.const 2)))

  ;; One more hash at this distance.
  (func $tick (param $row i32) (param $bits i64)
    (local.set $row (i32.add (local.get $row) (i32.shl (i32.wrap_i64 (local.get $bits)) (i32.const 2))))
    (i32.store (local.get $row) (i32.add (i32.load (local.get $row)) (i32.const 1))))

  ;; $groups times eight hashes, each $step slots on from $slot: adds how many there are at which distance, as the functions above
  ;; count it, to rows of 256 numbers of 32 bits at $out. Rows: words 0 1, 0 2, 0 3, 1 2, 1 3, 2 3; 0 1 2, 0 1 3, 0 2 3, 1 2 3; all.
  (func (export "sample") (param $slot i32) (param $step i32) (param $groups i32) (param $blocks i32) (param $out i32)
    (local $at i32) (local $end i32) (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $ab i64) (local $cd i64)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $groups)))
        (local.set $at (call $place (local.get $slot) (local.get $blocks)))
        (local.set $end (i32.add (local.get $at) (i32.const 64)))
        (loop $each
          (local.set $a (i64.xor (i64.load (i32.const 0)) (i64.load (local.get $at))))
          (local.set $b (i64.xor (i64.load (i32.const 8)) (i64.load offset=32768 (local.get $at))))
          (local.set $c (i64.xor (i64.load (i32.const 16)) (i64.load offset=65536 (local.get $at))))
          (local.set $d (i64.xor (i64.load (i32.const 24)) (i64.load offset=98304 (local.get $at))))
          (local.set $ab (i64.or (local.get $a) (local.get $b)))
          (local.set $cd (i64.or (local.get $c) (local.get $d)))
          (call $tick (local.get $out) (i64.popcnt (local.get $ab)))
          (call $tick (i32.add (local.get $out) (i32.const 1024)) (i64.popcnt (i64.or (local.get $a) (local.get $c))))
          (call $tick (i32.add (local.get $out) (i32.const 2048)) (i64.popcnt (i64.or (local.get $a) (local.get $d))))
          (call $tick (i32.add (local.get $out) (i32.const 3072)) (i64.popcnt (i64.or (local.get $b) (local.get $c))))
          (call $tick (i32.add (local.get $out) (i32.const 4096)) (i64.popcnt (i64.or (local.get $b) (local.get $d))))
          (call $tick (i32.add (local.get $out) (i32.const 5120)) (i64.popcnt (local.get $cd)))
          (call $tick (i32.add (local.get $out) (i32.const 6144)) (i64.popcnt (i64.or (local.get $ab) (local.get $c))))
          (call $tick (i32.add (local.get $out) (i32.const 7168)) (i64.popcnt (i64.or (local.get $ab) (local.get $d))))
          (call $tick (i32.add (local.get $out) (i32.const 8192)) (i64.popcnt (i64.or (local.get $a) (local.get $cd))))
          (call $tick (i32.add (local.get $out) (i32.const 9216)) (i64.popcnt (i64.or (local.get $b) (local.get $cd))))
          (call $tick (i32.add (local.get $out) (i32.const 10240)) (i64.add (i64.popcnt (local.get $ab)) (i64.popcnt (local.get $cd))))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (br_if $each (i32.lt_u (local.get $at) (local.get $end))))
        (local.set $slot (i32.add (local.get $slot) (local.get $step)))
        (local.set $groups (i32.sub (local.get $groups) (i32.const 1)))
        (br $next))))

  ;; All four words of a block's hashes: where less tells too few apart.
  (func (export "compare") (param $at i32) (param $count i32) (param $slot i32) (param $limit i32) (param $out i32) (result i32)
    (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $bits i64) (local $most i64)
    (local $end i32) (local $to i32)
    (local.set $most (i64.extend_i32_u (local.get $limit)))
    (local.set $a (i64.load (i32.const 0)))
    (local.set $b (i64.load (i32.const 8)))
    (local.set $c (i64.load (i32.const 16)))
    (local.set $d (i64.load (i32.const 24)))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 3))))
    (local.set $to (local.get $out))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $bits (i64.add
          (i64.add
            (i64.popcnt (i64.xor (local.get $a) (i64.load (local.get $at))))
            (i64.popcnt (i64.xor (local.get $b) (i64.load offset=32768 (local.get $at)))))
          (i64.add
            (i64.popcnt (i64.xor (local.get $c) (i64.load offset=65536 (local.get $at))))
            (i64.popcnt (i64.xor (local.get $d) (i64.load offset=98304 (local.get $at)))))))
        (if (i64.le_u (local.get $bits) (local.get $most))
          (then
            (i32.store (local.get $to) (local.get $slot))
            (i32.store offset=4 (local.get $to) (i32.wrap_i64 (local.get $bits)))
            (local.set $to (i32.add (local.get $to) (i32.const 8)))))
        (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $next)))
    (i32.shr_u (i32.sub (local.get $to) (local.get $out)) (i32.const 3)))

  ;; $count slots, 32 bits each, listed at $list; the first block begins at $blocks.
  (func (export "verify") (param $list i32) (param $count i32) (param $blocks i32) (param $most i32) (param $out i32)
    (result i32)
    (local $slot i32) (local $at i32) (local $bits i32) (local $end i32) (local $to i32)
    (local.set $end (i32.add (local.get $list) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $to (local.get $out))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $list) (local.get $end)))
        (local.set $slot (i32.load (local.get $list)))
        (local.set $at (call $place (local.get $slot) (local.get $blocks)))
        (local.set $bits (i32.wrap_i64 (i64.add
          (i64.popcnt (i64.xor (i64.load (i32.const 0)) (i64.load (local.get $at))))
          (i64.popcnt (i64.xor (i64.load (i32.const 8)) (i64.load offset=32768 (local.get $at)))))))
        (if (i32.le_u (local.get $bits) (local.get $most))
          (then
            (local.set $bits (i32.add (local.get $bits) (i32.wrap_i64 (i64.add
              (i64.popcnt (i64.xor (i64.load (i32.const 16)) (i64.load offset=65536 (local.get $at))))
              (i64.popcnt (i64.xor (i64.load (i32.const 24)) (i64.load offset=98304 (local.get $at))))))))
            (if (i32.le_u (local.get $bits) (local.get $most))
              (then
                (i32.store (local.get $to) (local.get $slot))
                (i32.store offset=4 (local.get $to) (local.get $bits))
                (local.set $to (i32.add (local.get $to) (i32.const 8)))))))
        (local.set $list (i32.add (local.get $list) (i32.const 4)))
        (br $next)))
    (i32.shr_u (i32.sub (local.get $to) (local.get $out)) (i32.const 3))))
