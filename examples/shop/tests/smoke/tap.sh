# Functions for tests that print TAP: https://testanything.org/tap-version-13-specification.html
# . tap.sh; answers 'the list is shown' 200 mug /catalog; done_testing

base=${BASE_URL:-http://shop}
count=0
failed=0

# answers DESCRIPTION STATUS TEXT PATH [OPTIONS OF httpc]: the answer has the status and contains the text.
answers() {
  description=$1 status=$2 text=$3
  shift 3
  path=$1
  shift
  answer=$(httpc -i "$@" "$base$path" 2>&1)
  case $(printf '%s\n' "$answer" | head -n 1) in
    *" $status "*) ;;
    *) not_ok "$description" "want status $status" "$answer"; return ;;
  esac
  case $answer in
    *"$text"*) ok "$description" ;;
    *) not_ok "$description" "want: $text" "$answer" ;;
  esac
}

ok() {
  count=$((count + 1))
  echo "ok $count - $1"
}

not_ok() {
  count=$((count + 1))
  failed=$((failed + 1))
  echo "not ok $count - $1"
  printf '%s\ngot:\n%s\n' "$2" "$3" | head -n 20 | sed 's/^/# /'
}

done_testing() {
  echo "1..$count"
  test "$failed" -eq 0
}
