package theme

import "math"

// Contrast is the WCAG 2 contrast ratio of two "#RRGGBB" colours, 1 to 21;
// it is 0 if one of them is not a colour.
func Contrast(a, b string) float64 {
	la, oka := luminance(a)
	lb, okb := luminance(b)
	if !oka || !okb {
		return 0
	}
	return (math.Max(la, lb) + 0.05) / (math.Min(la, lb) + 0.05)
}

func luminance(hex string) (float64, bool) {
	c, ok := linear(hex)
	return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2], ok
}

// linear is a colour as linear light, each part 0 to 1.
func linear(hex string) (c [3]float64, ok bool) {
	r, g, b, err := parseHex(hex)
	if err != nil {
		return c, false
	}
	for i, v := range [3]uint8{r, g, b} {
		x := float64(v) / 255
		if x <= 0.04045 {
			c[i] = x / 12.92
		} else {
			c[i] = math.Pow((x+0.055)/1.055, 2.4)
		}
	}
	return c, true
}

// Sight is one way of seeing colour, as a matrix on linear light.
type Sight struct {
	Name   string
	Matrix [3][3]float64
}

// Sights is normal sight and the three dichromacies at full severity. The
// matrices are table entries of G. M. Machado, M. M. Oliveira, L. A. F.
// Fernandes, "A Physiologically-based Model for Simulation of Color Vision
// Deficiency", IEEE TVCG 15(6), 2009.
var Sights = []Sight{
	{"normal", [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
	{"protanopia", [3][3]float64{{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}},
	{"deuteranopia", [3][3]float64{{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}},
	{"tritanopia", [3][3]float64{{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}},
}

// Distance is how different two colours look to a sight: CIE76 in Lab, where
// about 2 is just noticeable. It is 0 if one of them is not a colour.
func Distance(s Sight, a, b string) float64 {
	ca, oka := linear(a)
	cb, okb := linear(b)
	if !oka || !okb {
		return 0
	}
	la, lb := lab(see(s, ca)), lab(see(s, cb))
	return math.Sqrt(sq(la[0]-lb[0]) + sq(la[1]-lb[1]) + sq(la[2]-lb[2]))
}

func sq(x float64) float64 { return x * x }

func see(s Sight, c [3]float64) (out [3]float64) {
	for i, row := range s.Matrix {
		out[i] = math.Min(1, math.Max(0, row[0]*c[0]+row[1]*c[1]+row[2]*c[2]))
	}
	return out
}

func lab(c [3]float64) [3]float64 {
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x := f((0.4124564*c[0] + 0.3575761*c[1] + 0.1804375*c[2]) / 0.95047)
	y := f(0.2126729*c[0] + 0.7151522*c[1] + 0.0721750*c[2])
	z := f((0.0193339*c[0] + 0.1191920*c[1] + 0.9503041*c[2]) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}
