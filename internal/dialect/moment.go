package dialect

import "time"

// Moment is the time that formats tell in seconds since 1970. Zero, a time before, and
// one behind the year 9999, which no other format could tell, are none.
func Moment(seconds int64) (t time.Time, ok bool) {
	if seconds <= 0 || seconds >= 253402300800 {
		return t, false
	}
	return time.Unix(seconds, 0).UTC(), true
}
