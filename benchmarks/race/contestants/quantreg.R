# R's quantreg as a contestant: the protocol of worker.py, the files of files.py; quantiles.
#
# Variants are its methods: br (Barrodale and Roberts), fnb (Frisch and Newton), pfn (the same with preprocessing),
# pfnb (that for several quantiles); with an L1 penalty lasso, whose lambda counts half.

if (!suppressWarnings(suppressMessages(require(quantreg, quietly = TRUE)))) {
  cat("absent no R package quantreg\n"); quit()
}
options(warn = -1)
cat("ready", as.character(packageVersion("quantreg")), "\n")
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
  X <- matrix(get(folder, "X.f8"), n, p)
  level <- meta$intercept == "1"
  taus <- if (meta$kind == "process") get(folder, "alphas.f8") else as.numeric(meta$parameter)
  lambda <- rep(2 * n * get(folder, "alphas.f8")[1], p)
  list(X = if (level) cbind(1, X) else X, y = get(folder, "y.f8"), taus = taus, p = p,
       level = level, lambda = if (level) c(0, lambda) else lambda)
}

run <- function(task, method, tol) {
  if (method == "pfnb") return(rq.fit.pfnb(task$X, task$y, tau = task$taus, eps = tol)$coef)
  sapply(task$taus, function(tau) {
    if (method == "lasso") return(rq.fit.lasso(task$X, task$y, tau = tau, lambda = task$lambda, eps = tol)$coefficients)
    if (method == "br") return(rq.fit.br(task$X, task$y, tau = tau)$coefficients)
    if (method == "fnb") return(rq.fit.fnb(task$X, task$y, tau = tau, eps = tol)$coefficients)
    rq.fit.pfn(task$X, task$y, tau = tau, eps = tol)$coefficients
  })
}

write_answer <- function(folder, task, coef) {
  count <- length(task$taus)
  coef <- matrix(coef, ncol = count)
  if (!task$level) coef <- rbind(0, coef)
  put(folder, "data.f8", as.numeric(coef[-1, ]))
  put(folder, "indices.i4", rep(seq_len(task$p) - 1L, count))
  put(folder, "indptr.i4", as.integer(task$p * (0:count)))
  put(folder, "intercept.f8", as.numeric(coef[1, ]))
}

answer <- function(words) {
  if (words[1] == "load") { task <<- load(words[2]); return("ok") }
  best <- Inf
  for (k in seq_len(as.integer(words[4]))) {
    begin <- as.numeric(Sys.time())
    found <- run(task, words[2], as.numeric(words[3]))
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
