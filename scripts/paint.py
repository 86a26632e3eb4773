"""paint.py FROM TO: turn screens (*.ansi, as the tests write them) into pictures.

One contact sheet WxH.png for each terminal size, and hero.png, the picture of
the overview for the README. Only what our own drawing uses is understood:
lines of text with SGR colours.
"""
import collections, pathlib, re, sys, unicodedata
from PIL import Image, ImageDraw, ImageFont

FONTS = [("/usr/share/fonts/truetype/dejavu/DejaVuSansMono%s.ttf", "", "-Bold"),
         ("/usr/share/fonts/TTF/DejaVuSansMono%s.ttf", "", "-Bold"),
         ("DejaVuSansMono%s.ttf", "", "-Bold")]
FALLBACK = ["/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "DejaVuSans.ttf"]
CW, CH, SIZE = 9, 18, 15
BACK = {"dark": ("#16161d", "#dcd7ba"), "light": ("#ffffff", "#24292f"), "mono": ("#101010", "#e0e0e0"), "ascii": ("#101010", "#e0e0e0")}
TOKEN = re.compile(r"\x1b\[([0-9;]*)m|(.)", re.S)


def load():
    for path, plain, bold in FONTS:
        try:
            return ImageFont.truetype(path % plain, SIZE), ImageFont.truetype(path % bold, SIZE)
        except OSError:
            continue
    raise SystemExit("the font DejaVu Sans Mono is needed")


PLAIN, BOLD = load()
OTHER = None
for f in FALLBACK:
    try:
        OTHER = ImageFont.truetype(f, SIZE - 2)
        break
    except OSError:
        pass
MISSING = {c for c in "⧖" if PLAIN.getmask(c).getbbox() == PLAIN.getmask("\ufffe").getbbox()}


def color(params, i):
    """The colour that starts at params[i], 38 or 48; and how many numbers it took."""
    if params[i + 1] == 2:
        return "#%02x%02x%02x" % tuple(params[i + 2:i + 5]), 5
    n = params[i + 2]
    if n >= 232:
        v = 8 + (n - 232) * 10
        return "#%02x%02x%02x" % (v, v, v), 3
    n -= 16
    step = [0, 95, 135, 175, 215, 255]
    return "#%02x%02x%02x" % (step[n // 36], step[n // 6 % 6], step[n % 6]), 3


BASE = ["#000000", "#c34043", "#76946a", "#c0a36e", "#7e9cd8", "#957fb8", "#6a9589", "#c8c093"]


class Pen:
    def __init__(self, look):
        self.back, self.fore = BACK[look]
        self.reset()

    def reset(self):
        self.fg, self.bg, self.bold, self.rev = None, None, False, False

    def sgr(self, text):
        p = [int(x or 0) for x in text.split(";")]
        i = 0
        while i < len(p):
            n = p[i]
            if n == 0:
                self.reset()
            elif n == 1:
                self.bold = True
            elif n == 7:
                self.rev = True
            elif 30 <= n < 38:
                self.fg = BASE[n - 30]
            elif 90 <= n < 98:
                self.fg = BASE[n - 90]
            elif n in (38, 48):
                c, used = color(p, i)
                if n == 38:
                    self.fg = c
                else:
                    self.bg = c
                i += used - 1
            i += 1

    def colors(self):
        fg, bg = self.fg or self.fore, self.bg or self.back
        return (bg, fg) if self.rev else (fg, bg)


def braille(d, x, y, ch, fg):
    bits = ord(ch) - 0x2800
    for bit, (cx, cy) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]):
        if bits >> bit & 1:
            d.rectangle([x + 1 + cx * 4, y + 2 + cy * 4, x + 3 + cx * 4, y + 4 + cy * 4], fill=fg)


def paint(path, look):
    lines = path.read_text().split("\n")
    pen = Pen(look)
    width = max(sum(1 for m in TOKEN.finditer(ln) if m.group(2)) for ln in lines)
    im = Image.new("RGB", (width * CW + 12, len(lines) * CH + 12), pen.back)
    d = ImageDraw.Draw(im)
    for row, line in enumerate(lines):
        x, y = 6, 6 + row * CH
        for m in TOKEN.finditer(line):
            if m.group(2) is None:
                pen.sgr(m.group(1))
                continue
            ch = m.group(2)
            fg, bg = pen.colors()
            w = CW * (2 if unicodedata.east_asian_width(ch) in "WF" else 1)
            if bg != pen.back:
                d.rectangle([x, y, x + w - 1, y + CH - 1], fill=bg)
            if "\u2800" <= ch <= "\u28ff":
                braille(d, x, y, ch, fg)
            elif ch != " ":
                font = OTHER if ch in MISSING and OTHER else (BOLD if pen.bold else PLAIN)
                d.text((x, y), ch, font=font, fill=fg)
            x += w
    return im


def label(im, text):
    out = Image.new("RGB", (im.width + 16, im.height + 36), "#30303a")
    ImageDraw.Draw(out).text((10, 6), text, font=BOLD, fill="#f0f0f0")
    out.paste(im, (8, 28))
    return out


def main(src, dst):
    by_size = collections.defaultdict(list)
    for p in sorted(pathlib.Path(src).glob("*.ansi")):
        size, n, rest = p.stem.split("-", 2)
        name, look = rest.rsplit("-", 1)
        by_size[size].append(label(paint(p, look), name if look == "dark" else name + ", " + look))
        if size == "120x35" and name == "overview" and look == "dark":
            paint(p, look).save(pathlib.Path(dst) / "hero.png", optimize=True)
    for size, list_ in by_size.items():
        cols = 2 if size == "200x50" else 4 if size == "60x15" else 3
        w, h = list_[0].size
        sheet = Image.new("RGB", (w * cols, h * -(-len(list_) // cols)), "#30303a")
        for i, im in enumerate(list_):
            sheet.paste(im, (i % cols * w, i // cols * h))
        if sheet.width > 2400:
            sheet = sheet.resize((2400, sheet.height * 2400 // sheet.width), Image.LANCZOS)
        sheet.quantize(128, dither=Image.Dither.NONE).save(pathlib.Path(dst) / (size + ".png"), optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
