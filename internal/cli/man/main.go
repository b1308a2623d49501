// Man writes the manual pages of trustpool: one for each command, the documents in
// sections 5 and 7.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"trustpool/docs"
	"trustpool/internal/cli"
)

func main() {
	out := flag.String("o", "", "write the pages into `DIR`, which exists")
	flag.Parse()
	epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err == nil {
		err = write(*out, time.Unix(epoch, 0).UTC())
	} else {
		err = fmt.Errorf("SOURCE_DATE_EPOCH is to be the date of the pages: %w", err)
	}
	if err != nil {
		log.Fatal("man: ", err)
	}
}

// The head and the foot of each page.
const (
	source = "trustpool"
	manual = "trustpool manual"
)

func write(dir string, date time.Time) error {
	root := cli.Commands()
	if err := writeCommands(root, dir, date); err != nil {
		return err
	}
	day := date.Format("January 2006")
	for _, topic := range []struct {
		name    string
		section int
		title   string
		text    string // Markdown
	}{
		{"trustpool-formats", 5, "what is read, and every field of what is written", document(docs.Formats)},
		{"trustpool-recipe", 5, "the file that says how a bundle is made", document(docs.Recipe)},
		{"trustpool-exit-status", 7, "what the exit status of each command says", markdown(cli.ExitStatus)},
	} {
		// The first line is what md2man makes the .TH line of.
		page := fmt.Sprintf("%% %q %q %q %q %q\n# NAME\n\n%s - %s\n\n# DESCRIPTION\n\n%s", strings.ToUpper(topic.name), strconv.Itoa(topic.section), day,
			source, manual, topic.name, topic.title, topic.text)
		name := fmt.Sprintf("%s.%d", topic.name, topic.section)
		if err := os.WriteFile(filepath.Join(dir, name), md2man.Render([]byte(page)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// document is a document with an entry of a list for each row of a table.
func document(text string) string {
	return docs.Untabled(text, func(term, meaning string) string { return fmt.Sprintf("\n**%s**\n: %s\n", term, meaning) })
}

// writeCommands writes the page of a command and those below it.
func writeCommands(cmd *cobra.Command, dir string, date time.Time) error {
	for _, c := range cmd.Commands() {
		if !c.IsAvailableCommand() || c.Name() == "help" {
			continue
		}
		if err := writeCommands(c, dir, date); err != nil {
			return err
		}
	}
	cmd.Long = markdown(cmd.Long)
	cmd.DisableAutoGenTag = true
	var page bytes.Buffer
	if err := doc.GenMan(cmd, &doc.GenManHeader{Section: "1", Date: &date, Source: source, Manual: manual}, &page); err != nil {
		return err
	}
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
	return os.WriteFile(filepath.Join(dir, name), page.Bytes(), 0o644)
}

// markdown makes Markdown of a help text: what is indented there is set as it is, and
// what would be markup is not.
func markdown(help string) string {
	var b strings.Builder
	inside := false // an indented block
	for line := range strings.Lines(help) {
		line = strings.TrimRight(line, "\n")
		indented := strings.HasPrefix(line, " ")
		if indented != inside && line != "" {
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			inside = indented
		}
		if indented {
			line = "    " + line
		} else {
			line = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "<", `\<`, "`", "\\`").Replace(line)
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
