//go:build race

package sdktest

// The program is watched for races too when the tests are: it ends with a code
// of its own then, and says where.
func buildFlags() (flags, env []string) { return []string{"-race"}, []string{"CGO_ENABLED=1"} }
