package process

import "testing"

func TestNamesBucket(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want bool
	}{
		{[]string{"publish", "ios.p7b", "--store", "s3://bucket"}, true},
		{[]string{"publish", "ios.p7b", "--store=S3://bucket/a?endpoint=http://host"}, true},
		{[]string{"publish", "ios.p7b", "--store", "/srv"}, false},
		{[]string{"inspect", "a=s3://b"}, false},
		{[]string{"inspect", "s3:"}, false},
		{nil, false},
	} {
		if got := namesBucket(tt.args); got != tt.want {
			t.Errorf("%q: %t", tt.args, got)
		}
	}
}
