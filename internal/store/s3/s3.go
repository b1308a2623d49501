// Package s3 is the backend of a store in a bucket of any S3-compatible service
// that knows conditional writes (If-None-Match and If-Match of PutObject).
package s3

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"gopkg.in/ini.v1"

	"trustpool/internal/store"
)

// Limits of one request.
const (
	dialTimeout   = 10 * time.Second // for the connection, and again for the TLS handshake
	headerTimeout = 30 * time.Second // for an answer to begin
	timeout       = 2 * time.Minute  // for an operation in all, its retries included
	maxTries      = 3
	maxListing    = 16 << 20 // bytes of one page of a list, which names 1,000 keys
)

// defaultRegion is what services that have no regions want to be called, and Amazon's first.
const defaultRegion = "us-east-1"

// A Bucket is a store.Backend: the objects below a prefix of a bucket.
type Bucket struct {
	client         *s3.Client
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
	o := s3.Options{
		Region:           cmp.Or(query.Get("region"), getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"), defaultRegion),
		UsePathStyle:     true,
		RetryMaxAttempts: maxTries,
		Credentials:      credentials(getenv),
		HTTPClient: &http.Client{Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSHandshakeTimeout:   dialTimeout,
			ResponseHeaderTimeout: headerTimeout,
			IdleConnTimeout:       headerTimeout,
			DisableCompression:    true,
			ForceAttemptHTTP2:     true,
		}},
		// Not every service knows the newer sums of Amazon's. Put sends MD5, which all know.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}
	if at := cmp.Or(query.Get("endpoint"), getenv("AWS_ENDPOINT_URL_S3"), getenv("AWS_ENDPOINT_URL")); at != "" {
		endpoint, err := url.Parse(at)
		if err != nil || endpoint.Scheme != "http" && endpoint.Scheme != "https" || endpoint.Host == "" || endpoint.User != nil || strings.Trim(endpoint.Path, "/") != "" {
			return nil, fmt.Errorf("s3://%s: the endpoint is to be http(s)://HOST:PORT and nothing more", u.Host)
		}
		o.BaseEndpoint = aws.String(endpoint.Scheme + "://" + endpoint.Host)
	}
	b.client = s3.New(o)
	return b, nil
}

// credentials finds the credentials. The file is read when they are needed, and
// again when the program asks for the bucket anew.
func credentials(getenv func(string) string) aws.CredentialsProvider {
	return aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		if id := getenv("AWS_ACCESS_KEY_ID"); id != "" {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: getenv("AWS_SESSION_TOKEN")}, nil
		}
		file, profile := getenv("AWS_SHARED_CREDENTIALS_FILE"), cmp.Or(getenv("AWS_PROFILE"), "default")
		if file == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return aws.Credentials{}, &noCredentialsError{err}
			}
			file = filepath.Join(home, ".aws", "credentials")
		}
		f, err := ini.Load(file)
		if err != nil {
			return aws.Credentials{}, &noCredentialsError{err}
		}
		p := f.Section(profile) // an empty one if there is none
		c := aws.Credentials{
			AccessKeyID:     p.Key("aws_access_key_id").String(),
			SecretAccessKey: p.Key("aws_secret_access_key").String(),
			SessionToken:    p.Key("aws_session_token").String(),
		}
		if !c.HasKeys() {
			return aws.Credentials{}, &noCredentialsError{fmt.Errorf("%s has no keys of the profile %q", file, profile)}
		}
		return c, nil
	}))
}

type noCredentialsError struct{ err error }

func (e *noCredentialsError) Error() string { return e.err.Error() }

func (b *Bucket) String() string { return "s3://" + b.bucket + "/" + strings.TrimSuffix(b.prefix, "/") }

// Get implements store.Backend. The tag is the ETag.
func (b *Bucket) Get(ctx context.Context, key string, most int64) ([]byte, string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	o, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.bucket, Key: aws.String(b.prefix + key)})
	if err != nil {
		return nil, "", b.error(key, err, false)
	}
	defer o.Body.Close()
	tag := aws.ToString(o.ETag)
	if tag == "" { // which Put would take for no condition
		return nil, "", b.error(key, errors.New("the service gives no ETag, without which two publishers could both win"), false)
	}
	size := int64(-1)
	if o.ContentLength != nil {
		size = *o.ContentLength
	}
	data, err := store.ReadObject(key, o.Body, size, most)
	if err == nil && size >= 0 && int64(len(data)) != size {
		err = io.ErrUnexpectedEOF
	}
	if _, damaged := errors.AsType[*store.DamagedError](err); err != nil && !damaged {
		err = b.error(key, err, false)
	}
	return data, tag, err
}

// Metadata is what a service answers with an object.
type Metadata struct {
	ContentType, CacheControl string
}

// Put implements store.Backend.
func (b *Bucket) Put(ctx context.Context, key string, data []byte, c store.Condition) (string, error) {
	return b.PutAs(ctx, key, data, c, Metadata{ContentType: contentType(key)})
}

// PutAs is Put with metadata.
func (b *Bucket) PutAs(ctx context.Context, key string, data []byte, c store.Condition, m Metadata) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	sum := md5.Sum(data)
	in := &s3.PutObjectInput{
		Bucket:      &b.bucket,
		Key:         aws.String(b.prefix + key),
		Body:        bytes.NewReader(data),
		ContentType: &m.ContentType,
		ContentMD5:  aws.String(base64.StdEncoding.EncodeToString(sum[:])), // a service that received something else refuses it
	}
	if m.CacheControl != "" {
		in.CacheControl = &m.CacheControl
	}
	switch {
	case c.Absent:
		in.IfNoneMatch = aws.String("*")
	case c.Tag != "":
		in.IfMatch = &c.Tag
	}
	out, err := b.client.PutObject(ctx, in)
	if err != nil {
		return "", b.error(key, err, c != store.Condition{})
	}
	return aws.ToString(out.ETag), nil
}

// Delete removes an object, if there is one.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if _, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.bucket, Key: aws.String(b.prefix + key)}); err != nil {
		return b.error(key, err, false)
	}
	return nil
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
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: &b.bucket, Prefix: aws.String(b.prefix + prefix)},
		func(o *s3.ListObjectsV2PaginatorOptions) { o.StopOnDuplicateToken = true })
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, limited)
		if err != nil {
			return nil, b.error(prefix, err, false)
		}
		for _, o := range page.Contents {
			if len(keys) == store.MaxKeys {
				return nil, fmt.Errorf("%s: more than %d objects", prefix, store.MaxKeys)
			}
			if key := aws.ToString(o.Key); !strings.HasSuffix(key, "/") { // which some make of a directory
				keys = append(keys, strings.TrimPrefix(key, b.prefix))
			}
		}
	}
	slices.Sort(keys)
	return keys, nil
}

// limited bounds the answers to a request.
func limited(o *s3.Options) {
	client := o.HTTPClient
	o.HTTPClient = smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
		answer, err := client.Do(r)
		if err == nil {
			answer.Body = http.MaxBytesReader(nil, answer.Body, maxListing)
		}
		return answer, err
	})
}

// error says what an answer means.
func (b *Bucket) error(key string, err error, conditional bool) error {
	var code string
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		code = e.ErrorCode()
	}
	switch {
	case code == "PreconditionFailed", code == "ConditionalRequestConflict", code == "NoSuchKey" && conditional:
		return fmt.Errorf("%s: %w", key, store.ErrConflict)
	case code == "NoSuchKey":
		return fmt.Errorf("%s: %w", key, store.ErrNotFound)
	case code == "PermanentRedirect", code == "AuthorizationHeaderMalformed":
		return fmt.Errorf("%s: the bucket is in another region: add ?region=NAME to the URL, or set AWS_REGION: %w", b, err)
	}
	if e, ok := errors.AsType[*noCredentialsError](err); ok { // not %w, which could say that there is no object
		return fmt.Errorf("%s: no credentials: AWS_ACCESS_KEY_ID is not set, and %v", b, e)
	}
	return fmt.Errorf("%s/%s: %w", strings.TrimSuffix(b.String(), "/"), key, err)
}
