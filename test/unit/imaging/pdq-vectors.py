# Makes pdq-vectors.json: hashes of drawn pixels by Meta's C++ as PyPI's pdqhash 0.2.8 wraps it.
# pip install pdqhash==0.2.8 numpy && python pdq-vectors.py > pdq-vectors.json
import json
import numpy
import pdqhash

# Width, height, channels, seed of the drawing.
CASES = [
    (64, 64, 3, 1), (64, 64, 1, 2), (128, 128, 3, 3), (37, 53, 3, 4), (5, 5, 3, 5), (200, 300, 3, 6), (129, 257, 1, 7),
    (256, 256, 3, 8), (499, 511, 3, 9), (512, 512, 3, 10), (512, 20, 3, 11), (6, 400, 3, 12), (700, 400, 3, 13),
    (1600, 1004, 3, 14), (513, 90, 1, 15), (4, 400, 3, 16),
]


def wave(n, period):
    return abs(n % (2 * period) - period) * 255 // period


def draw(width, height, channels, seed):
    y, x, c = numpy.mgrid[0:height, 0:width, 0:channels]
    # Coordinates of 0 to 999 whatever the size, so that large and small ones have the same things in them.
    u, v = x * 1000 // width, y * 1000 // height
    a = wave(u * (3 + seed % 5) + v * 2 + c * 90 + seed * 131, 400 + 37 * seed)
    b = wave(u * u // 700 + v * (5 + seed % 3) + seed * 17, 310 + 11 * seed)
    d = wave(u * v // 500 + (c + 1) * v, 170 + 23 * seed)
    return ((a * 3 + b * 3 + d * 2) // 8).astype("uint8")


# Meta's tool takes pictures with a side above 512 to 512 by 512 first, by the nearest pixel (CImg's resize).
def nearest(pixels):
    height, width, _ = pixels.shape
    if max(height, width) <= 512:
        return pixels
    return pixels[numpy.arange(512) * height // 512][:, numpy.arange(512) * width // 512]


def text(bits):
    return "%064x" % int("".join(str(int(b)) for b in bits), 2)


vectors = []
for width, height, channels, seed in CASES:
    pixels = nearest(draw(width, height, channels, seed))
    if channels == 1:
        # Meta reads grey as it is; the weights of red, green and blue add up to 1.
        pixels = numpy.repeat(pixels, 3, axis=2)
    hashes, quality = pdqhash.compute_dihedral(numpy.ascontiguousarray(pixels))
    # Its order: as it is, rotated by 90, 180, 270, flipped in x, in y, along both diagonals.
    vectors.append({"width": width, "height": height, "channels": channels, "seed": seed, "quality": quality,
                    "sum": int(draw(width, height, channels, seed).sum()), "variants": [text(h) for h in hashes]})
print(json.dumps(vectors, indent=2))
