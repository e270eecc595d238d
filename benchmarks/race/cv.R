# glmnet's part of cv.py: cv.glmnet over a ladder of thresholds. Rscript cv.R folder n p folds ladder limit
suppressMessages(library(glmnet))
options(digits = 17)
a <- commandArgs(TRUE)
n <- as.numeric(a[2]); p <- as.numeric(a[3]); folds <- as.numeric(a[4])
read <- function(name, count) {
  file <- file(file.path(a[1], name), "rb")
  values <- readBin(file, "double", count)
  close(file)
  values
}
X <- matrix(read("X.bin", n * p), n, p)
y <- read("y.bin", n)
alphas <- read("alphas.bin", 1e6)
foldid <- rep(1:folds, each = n / folds)
glmnet.control(fdev = 0, devmax = 1)  # the whole path
invisible(cv.glmnet(X[1:50, 1:20], y[1:50], nfolds = 5))
runs <- c()
for (thresh in as.numeric(strsplit(a[5], ",")[[1]])) {
  wall <- proc.time()
  cv <- cv.glmnet(X, y, lambda = alphas, foldid = foldid, standardize = FALSE, thresh = thresh, maxit = 1e8, keep = TRUE)
  took <- proc.time() - wall
  if (length(cv$lambda) < length(alphas)) break
  error <- (y - cv$fit.preval[, seq_along(alphas)])^2
  scores <- t(rowsum(error, foldid) / as.vector(table(foldid)))
  rows <- apply(scores, 1, function(row) paste0("[", paste(row, collapse = ","), "]"))
  runs <- c(runs, sprintf('{"tol": %g, "seconds": %g, "cpu": %g, "scores": [%s]}', thresh, took[3], took[1] + took[2],
                          paste(rows, collapse = ",")))
  writeLines(paste0("[", paste(runs, collapse = ","), "]"), file.path(a[1], "glmnet.json"))
  if (took[1] + took[2] > as.numeric(a[6])) break
}
