module trustpool

go 1.26.0

require (
	github.com/smallstep/certinfo v1.7.0
	github.com/spf13/cobra v1.10.2
	golang.org/x/crypto v0.48.0
	golang.org/x/term v0.40.0
)

require (
	github.com/google/certificate-transparency-go v1.3.3 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	github.com/spf13/pflag v1.0.10 // indirect
	golang.org/x/sys v0.41.0 // indirect
)
