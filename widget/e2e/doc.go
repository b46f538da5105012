// Package e2e drives the widget and the dashboard in a real browser against the real server. It has nothing but tests.
//
// Without Chromium they are skipped and say so; EARSHOT_TEST_BROWSER=required makes that a failure. With
// EARSHOT_SCREENSHOTS=FOLDER they also write pictures of every page there.
package e2e
