# Asks zsh what it would offer: ask-completions.zsh FILE FOLDER LINE. It types LINE and Tab on a terminal of its own, and a hook in place of
# compadd prints what the completion system was given. FILE holds the completions; an empty one leaves them to FOLDER/functions.

zmodload zsh/zpty
print -r -- "file=${(q)1} folder=${(q)2}" > $2/ask.zsh
cat >> $2/ask.zsh <<'SETUP'
PROMPT= RPROMPT=
cd $folder
fpath=($folder/functions $fpath)
autoload -Uz compinit
compinit -u -D
[[ -n $file ]] && source $file
bindkey '^M' undefined
bindkey '^J' undefined
bindkey '^I' complete-word
mark() { print -rn -- '<>' }
compprefuncs=(mark)
comppostfuncs=(mark exit)
compadd() {
  local -a hits
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
    builtin compadd "$@"
    return
  fi
  builtin compadd -A hits "$@"
  (( $#hits )) && print -rl -- $hits
  return 1
}
print ready
SETUP

# reads from the terminal until a pattern is there
until_shown() {
  out=
  repeat 400; do
    zpty -r -t z line && out+=$line
    [[ $out == $~1 ]] && return
    sleep 0.05
  done
}

zpty -b z zsh -f -i
zpty -w z "source $2/ask.zsh"
until_shown '*ready*'
zpty -w -n z "$3"$'\t'
until_shown '*<>*<>*'
print -r -- "${${out#*<>}%%<>*}"
