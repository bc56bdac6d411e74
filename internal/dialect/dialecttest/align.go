package dialecttest

import "slices"

// pair joins an item before with one after; -1 = there is none.
type pair struct{ a, b int }

// align pairs the items of two lists, in order, so that what is alike comes
// together and one lost item does not shift all the others.
func align(a, b []*node) []pair {
	var head, tail []pair
	lo := 0
	for lo < len(a) && lo < len(b) && a[lo].hash == b[lo].hash {
		head = append(head, pair{lo, lo})
		lo++
	}
	i, j := len(a), len(b)
	for i > lo && j > lo && a[i-1].hash == b[j-1].hash {
		i, j = i-1, j-1
		tail = append(tail, pair{i, j})
	}
	head = append(head, middle(a, b, lo, i, j)...)
	slices.Reverse(tail)
	return append(head, tail...)
}

// middle aligns a[lo:i] with b[lo:j] for the greatest likeness in all.
func middle(a, b []*node, lo, i, j int) []pair {
	n, m := i-lo, j-lo
	if n == m && inStep(a[lo:i], b[lo:j]) || n*m > 250_000 {
		return steps(lo, n, m)
	}
	like := make([]int, n*m)
	best := make([]int, (n+1)*(m+1)) // best[x][y]: of a[lo+x:] and b[lo+y:]
	row := m + 1
	for x := n - 1; x >= 0; x-- {
		for y := m - 1; y >= 0; y-- {
			s := likeness(a[lo+x], b[lo+y])
			like[x*m+y] = s
			v := max(best[(x+1)*row+y], best[x*row+y+1])
			if s > 0 {
				v = max(v, s+best[(x+1)*row+y+1])
			}
			best[x*row+y] = v
		}
	}
	var out []pair
	x, y := 0, 0
	for x < n && y < m {
		s := like[x*m+y]
		switch {
		case s > 0 && best[x*row+y] == s+best[(x+1)*row+y+1]:
			out = append(out, pair{lo + x, lo + y})
			x, y = x+1, y+1
		case best[x*row+y] == best[(x+1)*row+y]:
			out = append(out, pair{lo + x, -1})
			x++
		default:
			out = append(out, pair{-1, lo + y})
			y++
		}
	}
	for ; x < n; x++ {
		out = append(out, pair{lo + x, -1})
	}
	for ; y < m; y++ {
		out = append(out, pair{-1, lo + y})
	}
	return out
}

// inStep reports whether the items are much alike one by one.
func inStep(a, b []*node) bool {
	for i := range a {
		if likeness(a[i], b[i]) < sure {
			return false
		}
	}
	return true
}

func steps(lo, n, m int) []pair {
	var out []pair
	for k := range max(n, m) {
		p := pair{lo + k, lo + k}
		if k >= n {
			p.a = -1
		}
		if k >= m {
			p.b = -1
		}
		out = append(out, p)
	}
	return out
}

const (
	same = 1000
	sure = 10 // from here on two items are the same thing, changed
)

// weights say how much an equal member tells about two items being one.
var weights = map[string]int{
	"role": 4, "kind": 2, "text": 30, "name": 15, "id": 40, "call_id": 40, "args": 10, "raw": 30,
	"data": 30, "url": 30, "file_id": 30, "token": 20, "logprob": 10,
}

// weight of an equal member: objects count as all that is in them.
func weight(n *node) int {
	if n.shape != scalar {
		s := 0
		for _, k := range n.kids {
			s += weight(k)
		}
		return min(max(s, 3), same/10)
	}
	if w, ok := weights[n.name]; ok {
		return w
	}
	return 3
}

// likeness says how much two items have in common; 0 = they have nothing to do
// with each other.
func likeness(a, b *node) int {
	if a.hash == b.hash {
		return same
	}
	if a.shape != object || b.shape != object || otherResults(a, b) {
		return 0
	}
	s := 0
	for _, k := range a.kids {
		o := b.kid(k.name)
		switch {
		case o == nil:
		case k.hash == o.hash:
			s += weight(k)
		case k.shape == object:
			s += likeness(k, o) / 2
		case k.shape == list && o.shape == list && len(k.kids) > 0 && len(o.kids) > 0:
			s += min(likeness(k.kids[0], o.kids[0]), same/20) / 2
		}
	}
	if a.value("kind") != b.value("kind") {
		if t := words(a); t != "" && t == words(b) && a.value("text") != b.value("text") {
			s += weights["text"] // a document became a text
		}
		if s < sure {
			return 0
		}
	}
	return max(s, 1)
}

// otherResults reports whether two parts are results of tools that answer different
// calls with different words: one did not become the other.
func otherResults(a, b *node) bool {
	x, y := a.kid("result"), b.kid("result")
	if x == nil || y == nil || x.value("call_id") == y.value("call_id") {
		return false
	}
	p, q := x.kid("content"), y.kid("content")
	if p == nil || q == nil {
		return p != q
	}
	return p.hash != q.hash
}

func words(n *node) string {
	if t := n.value("text"); t != "" {
		return t
	}
	return n.kid("media").value("text")
}
