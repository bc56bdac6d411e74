// Package nearest finds the name that somebody meant who wrote another.
package nearest

import "strings"

// most bounds how much of a name is compared.
const most = 64

// Name returns the known name that is most like word, if one is like it at all:
// at most a third of its letters may differ, or two but not half of them, or it
// goes on where a word of three letters or more ends. Of equally near names the
// first counts. "" means none.
func Name(word string, known []string) string {
	n := min(len(word), most)
	limit := max(min(2, (n-1)/2), n/3)
	best, dist := "", limit+1
	for _, k := range known {
		d := distance(word, k)
		if len(word) > 2 && strings.HasPrefix(k, word) {
			d = min(d, limit)
		}
		if d < dist {
			best, dist = k, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that lead from a to b (Damerau and Levenshtein, in bytes).
func distance(a, b string) int {
	a, b = a[:min(len(a), most)], b[:min(len(b), most)]
	var before, prev []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, prev, row = prev, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
