// Package s3 is the backend of a store in a bucket of any S3-compatible service
// that knows conditional writes (If-None-Match and If-Match of PutObject).
package s3

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"trustpool/internal/store"
)

// Limits of one request.
const (
	dialTimeout   = 10 * time.Second // for the connection, and again for the TLS handshake
	headerTimeout = 30 * time.Second // for an answer to begin
	timeout       = 2 * time.Minute  // for an operation in all, its retries included
	maxTries      = 3
)

const (
	amazon        = "https://s3.amazonaws.com"
	defaultRegion = "us-east-1" // what services that have no regions want to be called
)

// A Bucket is a store.Backend: the objects below a prefix of a bucket.
type Bucket struct {
	client         minio.Core
	bucket, prefix string // the prefix is empty or ends in a slash
}

// Open makes a backend of s3://BUCKET/PREFIX?endpoint=URL&region=NAME. It asks
// nothing of the service yet.
//
// The endpoint is that of the URL, of AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL,
// else Amazon's; the region likewise that of AWS_REGION or AWS_DEFAULT_REGION.
// Buckets are addressed by path. The credentials are AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, else those of AWS_PROFILE in
// AWS_SHARED_CREDENTIALS_FILE, by default ~/.aws/credentials. They are never part
// of a URL. getenv gives the variables.
func Open(raw string, getenv func(string) string) (*Bucket, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("malformed URL of a bucket: write s3://BUCKET/PREFIX") // it may hold a secret
	}
	if u.User != nil {
		return nil, fmt.Errorf("s3://%s: credentials do not belong into a URL: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", u.Host)
	}
	if u.Host == "" {
		return nil, errors.New("no bucket in the URL: write s3://BUCKET/PREFIX")
	}
	query := u.Query()
	for name := range query {
		if name != "endpoint" && name != "region" {
			return nil, fmt.Errorf("s3://%s: %q is not known: write ?endpoint=URL&region=NAME", u.Host, name)
		}
	}
	b := &Bucket{bucket: u.Host}
	if b.prefix = strings.Trim(u.Path, "/"); b.prefix != "" {
		if !fs.ValidPath(b.prefix) {
			return nil, fmt.Errorf("s3://%s: the prefix %q has an empty or relative part", u.Host, b.prefix)
		}
		b.prefix += "/"
	}
	at := cmp.Or(query.Get("endpoint"), getenv("AWS_ENDPOINT_URL_S3"), getenv("AWS_ENDPOINT_URL"), amazon)
	endpoint, err := url.Parse(at)
	if err != nil || endpoint.Scheme != "http" && endpoint.Scheme != "https" || endpoint.Host == "" || endpoint.User != nil || strings.Trim(endpoint.Path, "/") != "" {
		return nil, fmt.Errorf("s3://%s: the endpoint is to be http(s)://HOST:PORT and nothing more", u.Host)
	}
	region := cmp.Or(query.Get("region"), getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"))
	if region == "" && at != amazon { // which can be asked for a bucket's region
		region = defaultRegion
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds:        credentialsOf(getenv),
		Secure:       endpoint.Scheme == "https",
		Region:       region,
		BucketLookup: minio.BucketLookupPath,
		MaxRetries:   maxTries,
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSHandshakeTimeout:   dialTimeout,
			ResponseHeaderTimeout: headerTimeout,
			IdleConnTimeout:       headerTimeout,
			DisableCompression:    true,
			ForceAttemptHTTP2:     true,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("s3://%s: %w", u.Host, err)
	}
	b.client = minio.Core{Client: client}
	return b, nil
}

// credentialsOf finds the credentials. The file is read when they are needed, and
// again when the program asks for the bucket anew.
func credentialsOf(getenv func(string) string) *credentials.Credentials {
	if id := getenv("AWS_ACCESS_KEY_ID"); id != "" {
		return credentials.NewStaticV4(id, getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN"))
	}
	return credentials.NewFileAWSCredentials(getenv("AWS_SHARED_CREDENTIALS_FILE"), getenv("AWS_PROFILE"))
}

func (b *Bucket) String() string { return "s3://" + b.bucket + "/" + strings.TrimSuffix(b.prefix, "/") }

// Get implements store.Backend. The tag is the ETag.
func (b *Bucket) Get(ctx context.Context, key string, most int64) ([]byte, string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	body, info, _, err := b.client.GetObject(ctx, b.bucket, b.prefix+key, minio.GetObjectOptions{})
	if err != nil {
		return nil, "", b.error(key, err, false)
	}
	defer body.Close()
	if info.ETag == "" { // which Put would take for no condition
		return nil, "", b.error(key, errors.New("the service gives no ETag, without which two publishers could both win"), false)
	}
	data, err := store.ReadObject(key, body, info.Size, most)
	if err == nil && info.Size >= 0 && int64(len(data)) != info.Size {
		err = io.ErrUnexpectedEOF
	}
	if _, damaged := errors.AsType[*store.DamagedError](err); err != nil && !damaged {
		err = b.error(key, err, false)
	}
	return data, info.ETag, err
}

// Put implements store.Backend.
func (b *Bucket) Put(ctx context.Context, key string, data []byte, c store.Condition) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	o := minio.PutObjectOptions{
		ContentType:      contentType(key),
		DisableMultipart: true, // one request, which is whole or nothing
		SendContentMd5:   true, // a service that received something else refuses it
	}
	switch {
	case c.Absent:
		o.SetMatchETagExcept("*")
	case c.Tag != "":
		o.SetMatchETag(c.Tag)
	}
	info, err := b.client.Client.PutObject(ctx, b.bucket, b.prefix+key, bytes.NewReader(data), int64(len(data)), o)
	if err != nil {
		return "", b.error(key, err, c != store.Condition{})
	}
	return info.ETag, nil
}

func contentType(key string) string {
	if strings.HasSuffix(key, ".p7b") {
		return "application/x-pkcs7-certificates"
	}
	return "application/byte-stream"
}

// List implements store.Backend.
func (b *Bucket) List(ctx context.Context, prefix string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var keys []string
	for o := range b.client.ListObjectsIter(ctx, b.bucket, minio.ListObjectsOptions{Prefix: b.prefix + prefix, Recursive: true}) {
		if o.Err != nil {
			return nil, b.error(prefix, o.Err, false)
		}
		if len(keys) == store.MaxKeys {
			return nil, fmt.Errorf("%s: more than %d objects", prefix, store.MaxKeys)
		}
		if !strings.HasSuffix(o.Key, "/") { // which some make of a directory
			keys = append(keys, strings.TrimPrefix(o.Key, b.prefix))
		}
	}
	if err := ctx.Err(); err != nil { // ends the loop without a word
		return nil, fmt.Errorf("%s: %w", prefix, err)
	}
	slices.Sort(keys)
	return keys, nil
}

// error says what an answer means.
func (b *Bucket) error(key string, err error, conditional bool) error {
	switch code := minio.ToErrorResponse(err).Code; {
	case code == minio.PreconditionFailed, code == "ConditionalRequestConflict", code == minio.NoSuchKey && conditional:
		return fmt.Errorf("%s: %w", key, store.ErrConflict)
	case code == minio.NoSuchKey:
		return fmt.Errorf("%s: %w", key, store.ErrNotFound)
	case errors.Is(err, fs.ErrNotExist): // of the file of credentials; not %w, which would say that there is no object
		return fmt.Errorf("%s: no credentials: AWS_ACCESS_KEY_ID is not set, and %v", b, err)
	}
	return fmt.Errorf("%s/%s: %w", strings.TrimSuffix(b.String(), "/"), key, err)
}
