package cli

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"trustpool/internal/report"
	"trustpool/roots"
)

func (a *app) anchorsCommand() *cobra.Command {
	var as printing
	list := &cobra.Command{
		Use:   "list",
		Short: "List the built-in anchors",
		Args:  arguments(),
		RunE: func(*cobra.Command, []string) error {
			return a.answer(true, as, printings{"": writeAnchors, "json": writeAnchorsJSON})
		},
	}
	as.flags(list, "json")
	a.outputFlag(list)
	show := &cobra.Command{
		Use:     "show NAME|SHA256",
		Short:   "Show one anchor",
		Example: `  trustpool anchors show "Cisco Root CA M1"`,
		Args:    arguments("NAME|SHA256"),
		RunE: func(_ *cobra.Command, args []string) error {
			sum, isSum := roots.ParseSHA256(args[0])
			for _, anchor := range roots.BuiltIn() {
				if strings.EqualFold(anchor.Name, args[0]) || isSum && sum == anchor.SHA256 {
					return a.write(func(w io.Writer) error {
						_, err := fmt.Fprintf(w, "%s\n  SHA-256      %s\n  SHA-1 links  %s\n  used for     %s\n",
							anchor.Name, hex.EncodeToString(anchor.SHA256[:]), tolerance(anchor), anchor.UsedFor)
						return err
					})
				}
			}
			return hinted{fmt.Errorf("no built-in anchor is called %q", args[0]), "trustpool anchors list names them"}
		},
	}
	return parent("anchors", "Show the built-in anchors and what is tolerated under each", "trustpool anchors list, or trustpool anchors show NAME", list, show)
}

func tolerance(a roots.Anchor) string {
	if a.SHA1Links {
		return "tolerated in certificates below it"
	}
	return "not tolerated"
}

func writeAnchors(w io.Writer) error {
	for _, anchor := range roots.BuiltIn() {
		if _, err := fmt.Fprintf(w, "%s  %s\n", hex.EncodeToString(anchor.SHA256[:]), anchor.Name); err != nil {
			return err
		}
	}
	return nil
}

func writeAnchorsJSON(w io.Writer) error {
	type anchor struct {
		Name      string `json:"name"`
		SHA256    string `json:"sha256"`
		SHA1Links bool   `json:"sha1_links"`
		UsedFor   string `json:"used_for"`
	}
	doc := struct {
		Schema  string   `json:"schema"`
		Anchors []anchor `json:"anchors"`
	}{Schema: "trustpool.anchors/1", Anchors: []anchor{}}
	for _, x := range roots.BuiltIn() {
		doc.Anchors = append(doc.Anchors, anchor{x.Name, hex.EncodeToString(x.SHA256[:]), x.SHA1Links, x.UsedFor})
	}
	return report.WriteJSON(w, doc)
}
