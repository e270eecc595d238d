# R's conquer as a contestant: the protocol of worker.py, the files of files.py; quantiles, no penalty.
#
# It smooths the kink over a bandwidth h: the smaller h, the closer to the quantile. Variants are kernels, the
# tolerance of the race is h in units of its default; 1e-6 is asked of its iteration.

if (!suppressWarnings(suppressMessages(require(conquer, quietly = TRUE)))) {
  cat("absent no R package conquer\n"); quit()
}
options(warn = -1)
cat("ready", as.character(packageVersion("conquer")), "\n")
flush(stdout())

get <- function(folder, name) {
  file <- file.path(folder, name)
  readBin(file, "double", n = file.size(file) / 8, endian = "little")
}
put <- function(folder, name, values) writeBin(values, file.path(folder, name), endian = "little")

load <- function(folder) {
  lines <- strsplit(readLines(file.path(folder, "meta")), " ")
  meta <- setNames(lapply(lines, `[`, 2), sapply(lines, `[`, 1))
  n <- as.integer(meta$n); p <- as.integer(meta$p)
  process <- meta$kind == "process"
  taus <- if (process) get(folder, "alphas.f8") else as.numeric(meta$parameter)
  list(X = matrix(get(folder, "X.f8"), n, p), y = get(folder, "y.f8"), taus = taus, p = p,
       h = max(0.05, sqrt(0.25) * ((log(n) + p) / n)^0.4))
}

run <- function(task, words) {
  words <- strsplit(words[1], "-")[[1]]
  function(tol) sapply(task$taus, function(tau)
    conquer(task$X, task$y, tau = tau, kernel = words[1], h = tol * task$h,
            tol = if (length(words) > 1) 1e-6 else 1e-4)$coeff)
}

write_answer <- function(folder, task, coef) {
  count <- length(task$taus)
  coef <- matrix(coef, task$p + 1, count)
  put(folder, "data.f8", as.numeric(coef[-1, ]))
  put(folder, "indices.i4", rep(seq_len(task$p) - 1L, count))
  put(folder, "indptr.i4", as.integer(task$p * (0:count)))
  put(folder, "intercept.f8", as.numeric(coef[1, ]))
}

answer <- function(words) {
  if (words[1] == "load") { task <<- load(words[2]); return("ok") }
  best <- Inf
  fit <- run(task, words[2])
  for (k in seq_len(as.integer(words[4]))) {
    begin <- as.numeric(Sys.time())
    found <- fit(as.numeric(words[3]))
    best <- min(best, as.numeric(Sys.time()) - begin)
  }
  if (length(words) > 4) write_answer(words[5], task, found)
  sprintf("ok %.9f -1", best)
}

input <- file("stdin", "r")
while (length(line <- readLines(input, n = 1)) > 0) {
  words <- strsplit(line, "\t")[[1]]
  if (words[1] == "quit") break
  said <- tryCatch(answer(words), error = function(e) paste("error", gsub("\n", " ", conditionMessage(e))))
  cat(said, "\n", sep = "")
  flush(stdout())
}
