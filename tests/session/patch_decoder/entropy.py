# SPDX-License-Identifier: MIT
"""Range decoder, flags, bytes and numbers."""

from .errors import PatchError

WORD = 0xFFFFFFFF
RATES = [32768, 21845, 16384, 13107, 10923, 9362, 8192, 7282, 6554, 5958, 5461, 5041, 4681, 4369, 4096, 3855]
LOG2 = """
    1 2 4 5 6 8 9 11 12 13 15 16 18 19 20 22 23 24 26 27 28 30 31 32
    34 35 36 38 39 40 42 43 44 45 47 48 49 50 52 53 54 55 57 58 59 60 62 63
    64 65 66 68 69 70 71 72 74 75 76 77 78 80 81 82 83 84 85 86 88 89 90 91
    92 93 94 95 97 98 99 100 101 102 103 104 105 106 108 109 110 111 112 113 114 115 116 117
    118 119 120 121 122 123 124 125 126 127 128 129 131 132 133 134 135 136 137 138 139 140 140 141
    142 143 144 145 146 147 148 149 150 151 152 153 154 155 156 157 158 159 160 161 162 163 163 164
    165 166 167 168 169 170 171 172 173 173 174 175 176 177 178 179 180 181 182 182 183 184 185 186
    187 188 189 189 190 191 192 193 194 195 195 196 197 198 199 200 200 201 202 203 204 205 205 206
    207 208 209 210 210 211 212 213 214 214 215 216 217 218 218 219 220 221 222 222 223 224 225 226
    226 227 228 229 229 230 231 232 233 233 234 235 236 236 237 238 239 239 240 241 242 242 243 244
    245 245 246 247 248 248 249 250 251 251 252 253 253 254 255 256
"""
EXP2 = """
    0 178 356 535 714 893 1073 1254 1435 1617 1799 1981 2164 2348 2532 2716
    2902 3087 3273 3460 3647 3834 4022 4211 4400 4590 4780 4971 5162 5353 5546 5738
    5932 6125 6320 6514 6710 6906 7102 7299 7496 7694 7893 8092 8292 8492 8693 8894
    9096 9298 9501 9704 9908 10113 10318 10524 10730 10937 11144 11352 11560 11769 11979 12189
    12400 12611 12823 13036 13249 13462 13676 13891 14106 14322 14539 14756 14974 15192 15411 15630
    15850 16071 16292 16514 16737 16960 17183 17408 17633 17858 18084 18311 18538 18766 18995 19224
    19454 19684 19915 20147 20379 20612 20846 21080 21315 21550 21786 22023 22260 22498 22737 22977
    23216 23457 23698 23940 24183 24426 24670 24915 25160 25406 25652 25900 26148 26396 26645 26895
    27146 27397 27649 27902 28155 28409 28664 28919 29175 29432 29690 29948 30207 30466 30727 30988
    31249 31512 31775 32039 32303 32568 32834 33101 33369 33637 33906 34175 34446 34717 34988 35261
    35534 35808 36083 36359 36635 36912 37190 37468 37747 38028 38308 38590 38872 39155 39439 39724
    40009 40295 40582 40870 41158 41448 41738 42029 42320 42613 42906 43200 43495 43790 44087 44384
    44682 44981 45280 45581 45882 46184 46487 46791 47095 47401 47707 48014 48322 48631 48940 49251
    49562 49874 50187 50500 50815 51131 51447 51764 52082 52401 52721 53041 53363 53685 54008 54333
    54658 54983 55310 55638 55966 56296 56626 56957 57289 57622 57956 58291 58627 58964 59301 59640
    59979 60319 60661 61003 61346 61690 62035 62381 62727 63075 63424 63774 64124 64476 64828 65182
"""
LOG2 = [int(word) for word in LOG2.split()]
EXP2 = [int(word) for word in EXP2.split()]
SQUASH_LIMIT = 2815


def hash32(x):
    x = x * 0x9E3779B1 & WORD
    x ^= x >> 15
    x = x * 0x85EBCA77 & WORD
    return x ^ x >> 13


def log(v):
    e = 11
    while v < 2048:
        v *= 2
        e -= 1
    return 256 * e + LOG2[(v - 2048) // 8]


def squash(total):
    size = min(abs(total), SQUASH_LIMIT)
    power = (65536 + EXP2[size % 256]) << size // 256
    less = WORD // (65536 + power)
    return less if total < 0 else 65536 - less


STRETCHED = [0] + [log(q) - log(4096 - q) for q in range(1, 4096)]
SQUASHED = [squash(total) for total in range(-SQUASH_LIMIT, SQUASH_LIMIT + 1)]


def learned(q, n, result):
    """q of a coarse flag that was used n times, behind the next decision."""
    return q + ((4095 - q) * RATES[n] >> 16) if result else q - (q * RATES[n] >> 16)


def coarse_flags(*sizes):
    """A table of coarse flags, of one dimension or more."""
    return flags_from(sizes, [2048, 0])


def fine_flags(*sizes, start):
    return flags_from(sizes, [start * 64, 0])


def flags_from(sizes, first):
    if not sizes:
        return list(first)
    return [flags_from(sizes[1:], first) for _ in range(sizes[0])]


class RangeDecoder:
    def __init__(self, data, start):
        self.data = data
        self.next = start
        self.range = WORD
        self.code = 0
        for _ in range(4):
            self.code = self.code << 8 | self.next_byte()

    def next_byte(self):
        at = self.next
        self.next += 1
        if at < len(self.data):
            return self.data[at]
        if at >= len(self.data) + 4:
            raise PatchError("LB_ERR_PATCH_TRUNCATED")
        return 0

    def bit(self, p):
        bound = (self.range >> 16) * p
        if self.code < bound:
            result = 1
            self.range = bound
        else:
            result = 0
            self.code -= bound
            self.range -= bound
        while self.range < 0x1000000:
            self.range <<= 8
            self.code = (self.code << 8 | self.next_byte()) & WORD
        return result

    def coarse(self, flag):
        q, n = flag
        result = self.bit(16 * q + 8)
        flag[0] = learned(q, n, result)
        flag[1] = min(n + 1, 15)
        return result

    def fine(self, flag, limit):
        q, n = flag
        result = self.bit(q >> 6)
        rate = 131072 // (2 * n + 3)
        if result:
            q += (4194304 - q) * rate >> 16
        else:
            q -= q * rate >> 16
        flag[0] = max(64, min(4194304 - 64, q))
        flag[1] = min(n + 1, limit)
        return result

    @property
    def at_end(self):
        return self.next >= len(self.data)


class ByteModel:
    """Bytes by the mixed opinions of several flags."""

    def __init__(self, decoder, profile):
        self.decoder = decoder
        self.divisor = profile.set_divisor
        self.weights = [[4915] * 6 for _ in range(16 // self.divisor)]
        self.chances = self.uses = []

    def begin_slots(self, count):
        self.chances = [2048] * count
        self.uses = [0] * count

    def byte(self, contexts, number):
        weights = self.weights[number // self.divisor]
        slots = len(self.chances)
        seeds = [c * 0x01000193 + i * 0x3C6EF372 for i, c in enumerate(contexts)]
        node = 1
        for _ in range(8):
            inner = node * 0x2545F491
            node = 2 * node + self.mixed([hash32(seed + inner) * slots >> 32 for seed in seeds], weights)
        return node & 255

    def mixed(self, places, weights):
        chances, uses = self.chances, self.uses
        opinions = [STRETCHED[chances[place]] for place in places]
        total = sum(map(int.__mul__, weights, opinions))
        total = total // 16384 if total >= 0 else -(-total // 16384)
        p = SQUASHED[max(-SQUASH_LIMIT, min(SQUASH_LIMIT, total)) + SQUASH_LIMIT]
        result = self.decoder.bit(p)
        error = result * 65536 - p
        for i, place in enumerate(places):
            change = error * opinions[i]
            change = change + 32768 >> 16 if change >= 0 else -(-change + 32768 >> 16)
            weights[i] = max(-32767, min(32767, weights[i] + change))
            n = uses[place]
            chances[place] = learned(chances[place], n, result)
            if n < 15:
                uses[place] = n + 1
        return result


GAP, LENGTH, OFFSET, COPY_LENGTH, COPY_DISTANCE = range(5)
SETS = [3, 4, 2, 2, 4]


class Numbers:
    def __init__(self, decoder, profile):
        self.decoder = decoder
        self.small = profile.small
        self.prefixes = [coarse_flags(1 if self.small else sets, 20) for sets in SETS]
        self.mantissas = coarse_flags(1 if self.small else len(SETS), 42)

    def number(self, use, number):
        decoder = self.decoder
        prefix = self.prefixes[use][0 if self.small else number]
        mantissa = self.mantissas[0 if self.small else use]
        count = 0
        while count < 31 and decoder.coarse(prefix[min(count, 19)]):
            count += 1
        m = 3 * min(count, 13)
        value = 1
        for k in range(1, count + 1):
            if k == 1:
                b = decoder.coarse(mantissa[m])
            elif k == 2:
                b = decoder.coarse(mantissa[m + 1 + (value & 1)])
            else:
                b = decoder.bit(0x8000)
            value = 2 * value + b
        return value - 1
